"""A plan for reviewers: what would happen now, what an edit changes, what experiments can see, mail of coming days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dsl.plan import Audience, Plan
from flows.audiences import Synced, sync
from flows.moving import asked
from flows.rehearsal import Stage
from flows.report import Report
from flows.review.edits import Edit, edit_of
from flows.review.expectations import Traffic, Trial, traffic, trials
from flows.review.forecast import Ahead, Topics, sends_ahead, walk_on
from flows.review.mail import Mail, mail
from flows.review.newcomers import SOME, of_newcomers, per_newcomer, per_past_entrant
from ledger.report import LeftBehind, left_behind
from store.engine import read

DAYS = 14
"""How far a plan looks ahead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """One playbook."""

    plan: Plan
    report: Report
    edit: Edit
    traffic: Traffic
    trials: tuple[Trial, ...]
    ahead: Ahead
    """People who come by in the days ahead, an estimate: see `flows.review.forecast`."""
    sends_ahead: Mapping[str, int]
    """Messages of the days ahead, by step, without limits; an estimate."""

    def as_json(self) -> dict[str, Any]:
        """As `winback plan --json` prints it."""
        per_day = self.traffic.per_day
        return {
            **self.report.as_plan(),
            "expected_per_day": None if per_day is None else round(per_day, 2),
            "expected_from": self.traffic.source,
            "ahead": {
                "steps": dict(self.ahead.steps), "ways": dict(self.ahead.ways), "sends": dict(self.sends_ahead)
            },
            "experiments": [trial.as_json() for trial in self.trials],
            "edit": self.edit.as_json(),
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    as_of: datetime
    rebuilt: bool
    """The ledger was empty: the past was rebuilt from events."""
    days: int
    playbooks: tuple[Reviewed, ...]
    audiences: tuple[Synced, ...]
    """As the playbooks' ticks leave them."""
    mail: tuple[Mail, ...]
    """Of these playbooks together."""
    unknown: tuple[str, ...]
    """Playbooks of which it is not known how many people come in on a day: their newcomers are in no number."""
    left_behind: tuple[LeftBehind, ...] = ()
    """Playbooks with people inside that the project no longer has: renamed or deleted."""

    def as_json(self) -> dict[str, Any]:
        """As `winback plan --json` prints it."""
        return {
            "as_of": self.as_of.isoformat(),
            "rebuilt": self.rebuilt,
            "playbooks": [each.as_json() for each in self.playbooks],
            "audiences": [
                {"name": each.name, "add": each.added, "remove": each.removed, "members": each.members,
                 "without_consent": each.without_consent}
                for each in self.audiences
            ],
            "left_behind": [
                {"name": each.playbook, "inside": each.inside, "queued": each.queued} for each in self.left_behind
            ],
            "mail": {
                "days": self.days,
                "newcomers_unknown": list(self.unknown),
                "channels": [
                    {
                        "channel": each.channel,
                        "limits": [{"count": limit.count, "seconds": limit.seconds} for limit in each.limits],
                        "days": [
                            {"date": day.day.isoformat(), "messages": day.messages, "held_back": day.held_back,
                             "at_limit": day.at_limit, "newcomers": day.newcomers}
                            for day in each.days
                        ],
                    }
                    for each in self.mail
                ],
            },
        }  # fmt: skip


def review(
    stage: Stage,
    plans: Sequence[Plan],
    audiences: Sequence[Audience] = (),
    *,
    only_new: bool = False,
    days: int = DAYS,
) -> Review:
    """Play a tick of each plan, bring `audiences` up to date, then walk on for `days`.

    Raises OlderThanLastTick, StoreError."""
    world, as_of = stage.world, stage.as_of
    currency = str(world.shop["currency"])
    at = {plan.name: asked(world, plan, as_of) for plan in plans}
    with read(world.store) as connection:
        edits = {plan.name: edit_of(connection, plan, currency) for plan in plans}
        coming = {plan.name: traffic(connection, at[plan.name]) for plan in plans}
        forgotten = left_behind(connection, [*world.plans, *at])
    reports = {plan.name: stage.play(plan, only_new=only_new) for plan in plans}
    # Those that steps change are in the reports of their playbooks.
    synced = tuple(sync(world, audience, as_of) for audience in audiences if audience.include is not None)
    ahead = walk_on(world, plans, as_of, as_of + timedelta(days=days))
    with read(world.store) as connection:
        tried = {
            plan.name: trials(
                connection, at[plan.name], coming[plan.name],
                entered=reports[plan.name].entered, newest=stage.newest, days=days,
            )
            for plan in plans
        }  # fmt: skip
    topics = {key: template.topic for key, template in world.templates.describe().items()}
    names = [plan.name for plan in plans]
    later, unknown = _newcomers(stage, plans, reports, coming, topics, days)
    return Review(
        as_of=as_of,
        rebuilt=stage.rebuilt,
        days=days,
        playbooks=tuple(
            Reviewed(
                plan=plan, report=reports[plan.name], edit=edits[plan.name], traffic=coming[plan.name],
                trials=tried[plan.name], ahead=ahead[plan.name],
                sends_ahead=sends_ahead(world, plan.name, topics, as_of=as_of),
            )
            for plan in plans
        ),
        audiences=synced,
        mail=mail(
            world, names, topics, as_of=as_of, days=days, held_back=_held_back(reports.values()), newcomers=later
        ),
        unknown=unknown,
        left_behind=tuple(forgotten),
    )  # fmt: skip


def _held_back(reports: Iterable[Report]) -> Counter[str]:
    """Messages by channel that limits hold back right now."""
    found: Counter[str] = Counter()
    for report in reports:
        for send in report.sends:
            found[send.channel] += send.skipped.get("frequency_cap", 0)
    return +found


def _newcomers(
    stage: Stage,
    plans: Sequence[Plan],
    reports: Mapping[str, Report],
    coming: Mapping[str, Traffic],
    topics: Topics,
    days: int,
) -> tuple[dict[str, list[float]] | None, tuple[str, ...]]:
    """By channel the messages of each day to people who come in later, and the playbooks that are not in it."""
    found: dict[str, list[float]] = {}
    unknown: list[str] = []
    for plan in plans:
        per_day, entered = coming[plan.name].per_day, reports[plan.name].entered
        if per_day == 0:
            continue
        each = None
        if per_day is not None and entered >= SOME:
            each = per_newcomer(
                stage.world, topics, plan.name, newest=stage.newest, people=entered, as_of=stage.as_of, days=days
            )
        elif per_day is not None:
            each = per_past_entrant(stage.world, plan.name, topics, as_of=stage.as_of, days=days)
        if per_day is None or each is None:
            unknown.append(plan.name)
            continue
        for channel, messages in each.items():
            so_far = found.get(channel, [0.0] * (days + 1))
            found[channel] = [a + b for a, b in zip(so_far, of_newcomers(per_day, messages), strict=True)]
    return (found if len(unknown) < len(plans) else None), tuple(unknown)
