"""What happened to the person of a scenario, read from the ledger when it is over: in the order of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from dsl import regions
from dsl.complaints.places import Place
from dsl.outline import label, outline
from dsl.plan import Branch, ChangeAudience, Enroll, Experiment, Plan, Record, Send, SetField, Wait
from flows.report import because
from flows.timeline import ENDS
from store.schema import enrollments, journal, outbox

SENT = ("accepted", "assumed_sent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that happened to the person, or did not. Times in microseconds."""

    at: int
    kind: str
    """entered, branch, experiment, wait, send, create, update, set, add, remove, enroll, leave, end, goal, done"""
    text: str
    playbook: str = ""
    entered_at: int = 0
    name: str | None = None
    channel: str | None = None
    step: str = ""
    happened: bool = True
    """False: a message that was not sent, a record that was not made."""
    why: str = ""
    failed: bool = False
    """It could not be made at all: a template that cannot be filled."""
    planned_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """All of it, and the places that were passed, by playbook."""

    facts: tuple[Fact, ...]
    passed: Mapping[str, frozenset[Place]]


def facts(connection: Connection, plans: Mapping[str, Plan], currency: str) -> Told:
    """What the ledger knows of everybody in the store; `plans` by their digests."""
    found: list[Fact] = []
    passed: dict[str, set[Place]] = defaultdict(set)
    messages: dict[tuple[int, str], list[Any]] = defaultdict(list)
    for row in connection.execute(select(outbox).order_by(outbox.c.id)):
        messages[row.enrollment_id, row.step].append(row)
    passes: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(select(journal).order_by(journal.c.at)):
        passes[row.enrollment_id].append(row)
    for row in connection.execute(select(enrollments).order_by(enrollments.c.id)).all():
        plan = plans[row.digest]
        found.append(
            Fact(at=row.entered_at, kind="enter", text="entered", playbook=plan.name, entered_at=row.entered_at)
        )
        for each in passes[row.id]:
            for fact, place in _pass(plan, each, row, messages, currency):
                passed[plan.name] |= place
                found += fact
        found += _ends(plan, row)
    return Told(
        facts=tuple(sorted(found, key=lambda fact: fact.at)),  # stable: within one run as it was walked
        passed={name: frozenset(these) for name, these in passed.items()},
    )


def _pass(
    plan: Plan, each: Any, row: Any, messages: Mapping[tuple[int, str], Sequence[Any]], currency: str
) -> Iterator[tuple[list[Fact], set[Place]]]:
    choices = regions.unpack(regions.decisions(plan, each.region), each.path)
    lines = {(line.id, line.way): line.text for line in outline(plan)}
    for id in regions.walk(plan, each.region, choices).steps:
        step = plan.step(id)
        base = {"at": each.at, "playbook": plan.name, "entered_at": row.entered_at, "step": id}
        match step:
            case Branch():
                way = choices[id]
                text = lines.get((id, way)) or "none of its ways"
                yield [Fact(kind="branch", text=text, name=str(way), **base)], {(id, way)}
            case Experiment(name=name, variants=variants):
                way = choices[id]
                text = f"{name}: {variants[way - 1].name}"
                yield [Fact(kind="experiment", text=text, name=variants[way - 1].name, **base)], {(id, None), (id, way)}
            case Send() | Record():
                yield (
                    [_message(step, message, base, currency) for message in messages.get((row.id, id), ())],
                    {(id, None)},
                )
            case Wait(label=words):
                yield [Fact(kind="wait", text=label(step, currency), name=words, **base)], {(id, None)}
            case ChangeAudience(kind=kind, audience=audience):
                yield [Fact(kind=kind, text=label(step, currency), name=audience, **base)], {(id, None)}
            case SetField() | Enroll():
                verb = "set" if isinstance(step, SetField) else "enroll"
                yield [Fact(kind=verb, text=label(step, currency), **base)], {(id, None)}
            case _:
                yield [], {(id, None)}


def _message(step: Send | Record, row: Any, base: Mapping[str, Any], currency: str) -> Fact:
    """A message when it went out, or when it was refused."""
    happened = row.state in SENT
    at = row.settled_at if row.settled_at is not None else row.planned_at
    why = ""
    if not happened:
        why = because(row.reason) if row.reason else "it is waiting still"
        if row.state == "planned":
            why = f"it waits still: {because(row.reason)}" if row.reason else "it waits still"
    if row.state == "failed" and row.detail:
        why = str(row.detail)
    return Fact(
        kind="send" if isinstance(step, Send) else step.verb,
        text=label(step, currency),
        name=step.template if isinstance(step, Send) else step.noun,
        channel=row.channel,
        happened=happened,
        failed=row.state == "failed",
        why=why,
        planned_at=row.planned_at,
        **{**base, "at": at},
    )


def _ends(plan: Plan, row: Any) -> Iterator[Fact]:
    known = {"playbook": plan.name, "entered_at": row.entered_at}
    if row.converted_at is not None:
        goal = plan.goal.event if plan.goal else "the goal"
        yield Fact(at=row.converted_at, kind="goal", text=f"reached the goal: {goal}", **known)
    if row.ended_at is not None:
        why = row.reason or ""
        if row.state == "left":
            text = ENDS.get(why, f"left {why}" if why else "left")
            yield Fact(at=row.ended_at, kind="leave", text=text, why=why, **known)
        else:
            yield Fact(at=row.ended_at, kind="end", text=ENDS.get(why, "came to its end"), why=why, **known)
