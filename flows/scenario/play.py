"""Scenarios on the production code: one person, an empty store in memory, a clock that jumps, and the tick itself.

Every message passes the guards (consent, caps, quiet hours) and is rendered with its template; what is handed to
connectors is noted and goes nowhere. When the story begins, and when the clock stops: see `flows.scenario.clock`. It
stops when nothing can happen any more, at the latest so long after the last thing that the scenario speaks of:
`LONGEST`; journeys under way are played to their ends.
"""

from __future__ import annotations

import time
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, select, update

from dsl import plan as p
from dsl import scenario as s
from dsl import syntax
from dsl.catalog import STAGE
from dsl.compile import Compiled
from dsl.complaints.places import Place
from dsl.conditions import Field, Known
from dsl.plan import HOLDOUT_ARM, Enroll, Experiment, Plan, StartOn
from dsl.resolve.given import MEMBER
from dsl.types import Type
from experiments.assign import PRIME, held_out
from flows.scenario.clock import Grid
from flows.scenario.facts import Told, facts
from flows.scenario.known import Looking, is_other, upcoming
from flows.scenario.person import Call, Impossible, calls, local, zone_of
from flows.scenario.verdict import Problem, verdict
from flows.scenario.why import Watching
from flows.scenario.world import Bench, noon_near
from flows.tick import tick
from ledger.waits import zone_of as zone_named
from profiles.calls import read_call
from profiles.ingest import ingest_batch
from profiles.values import CallError
from store.clock import instant, micros
from store.engine import write
from store.schema import assignments, memberships, profiles

ANYBODY = Known(field=Field(scope="profile", name="created_at", type=Type.TIMESTAMP))
"""A condition that holds for everybody."""
LONGEST = timedelta(days=180)
_DAY = timedelta(days=1)
MOST_RUNS = 400
"""Runs of one scenario. More: a playbook that goes in circles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the person's timeline."""

    at: datetime
    text: str
    since: timedelta
    """Since the scenario's start; negative before."""
    local: datetime
    """Where the person lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    scenario: s.Scenario
    problems: tuple[Problem, ...]
    """Empty: passed."""
    timeline: tuple[Line, ...] = ()
    """What happened; only where something went wrong, or when it was asked for."""
    passed: Mapping[str, frozenset[Place]] = field(default_factory=dict)
    """Per playbook the places of it that the person came by."""
    runs: int = 0
    seconds: float = 0.0
    idle: bool = False
    """The person never entered, and no line says that this is meant: what is not to happen could not."""

    @property
    def ok(self) -> bool:
        return not self.problems


def play(bench: Bench, scenario: s.Scenario, *, now: datetime, timeline: bool = False) -> Result:
    """Play one scenario. `now` only gives the date of one without a clock; `timeline`: of those that pass, too."""
    began = time.monotonic()
    if scenario.playbook not in bench.compiled.plans:
        told = f"The playbook `{scenario.playbook}` has mistakes, so that nothing of it can be played."
        return Result(
            scenario=scenario,
            problems=(Problem(span=scenario.span, text="", told=told, hint="`winback check` tells them."),),
        )
    stage = _Stage(bench=bench, scenario=scenario, now=now)
    result = stage.play(watching=None)
    if result.problems or timeline:
        # Once more, with open eyes: what the branches asked is looked up only where somebody reads it.
        result = stage.play(watching=Watching(bench=bench, currency=bench.shop.currency))
    return Result(
        scenario=scenario, problems=result.problems, timeline=result.timeline, passed=result.passed,
        runs=result.runs, seconds=time.monotonic() - began, idle=result.idle,
    )  # fmt: skip


def unsound(compiled: Compiled, files: Container[str]) -> list[Result]:
    """The scenarios of these files that cannot be played for the mistakes in them: each fails with these."""
    sound = {scenario.span for scenario in compiled.scenarios}
    found = []
    for file in compiled.files:
        nodes = sorted(file.declarations, key=lambda node: node.span.line) if file.path in files else []
        for node, after in zip(nodes, [*nodes[1:], None], strict=False):
            if not isinstance(node, syntax.Scenario) or node.name.span in sound:
                continue
            end = after.span.line if after else 1 << 30
            problems = tuple(
                Problem(span=each.span, text="", told=each.message, hint=each.hint)
                for each in compiled.problems
                if each.severity == "error" and each.span.file == file.path and node.span.line <= each.span.line < end
            )
            scenario = s.Scenario(
                source=node, name=node.name.value, playbook=node.playbook.text, span=node.name.span, lines=()
            )
            found.append(Result(scenario=scenario, problems=problems))
    return found


class _Stage:
    """One scenario, its person and its playbooks."""

    def __init__(self, *, bench: Bench, scenario: s.Scenario, now: datetime) -> None:
        self.bench, self.scenario = bench, scenario
        self.zone = zone_named(zone_of(scenario, bench.shop.time_zone), bench.shop.time_zone)
        clock = next((line for line in scenario.lines if isinstance(line, s.GivenClock)), None)
        self.start = local(clock.day, clock.time, self.zone) if clock else noon_near(now, self.zone)
        self.plans = reached(bench.compiled.plans, scenario.playbook)
        self.plan = bench.compiled.plans[scenario.playbook]
        self.grids = {plan.name: Grid(schedule=plan.schedule, start=self.start, zone=bench.zone) for plan in self.plans}
        self.horizon = self.start + timedelta(seconds=max([0, *_named(scenario)])) + LONGEST

    def play(self, watching: Watching | None) -> Result:
        try:
            coming = calls(self.scenario, start=self.start, zone=self.zone, catalog=self.bench.compiled.catalog)
            with self.bench.scratch() as store:
                run = _Run(stage=self, store=store, coming=coming, watching=watching)
                run.run()
                told = facts(store, self.bench.digests, self.bench.shop.currency)
                return run.result(told)
        except (Impossible, CallError) as error:
            reason = str(error)
            problem = Problem(span=self.scenario.span, text="", told=reason, hint="Change one of the `given` lines.")
            return Result(scenario=self.scenario, problems=(problem,))


@dataclass(slots=True, kw_only=True)
class _Run:
    """One pass through the story."""

    stage: _Stage
    store: Connection
    coming: list[Call]
    watching: Watching | None
    taken: int = 0
    person: int = 0
    runs: int = 0
    last: dict[str, datetime] = field(default_factory=dict)
    stuck: str = ""

    def run(self) -> None:
        while (next_ := self._next()) is not None:
            at, plan = next_
            if self.runs >= MOST_RUNS:
                day = at.astimezone(self.stage.zone)
                self.stuck = (
                    f"After {MOST_RUNS} runs, on {day:%d %B %Y}, this was not over: a playbook goes in circles."
                )
                return
            self._take(at)
            world = self.stage.bench.world(self.store, at, self._lifecycle(at))
            if self.watching is not None and self.person:
                self.watching.prepare(self.store, self.person, plan, at)
            tick(world, plan, as_of=at)
            self.runs += 1
            self.last[plan.name] = at
            if self.watching is not None:
                self.watching.look(self.store, self.person, plan, world, at)

    def _lifecycle(self, at: datetime) -> tuple[p.Stage, ...]:
        """The project's; a stage that the scenario gives comes before all others, for everybody."""
        declared, found = self.stage.bench.compiled.lifecycle, None
        for line in self.stage.scenario.lines:
            match line:
                case s.GivenField(field=field, value=value) if field.name == STAGE:
                    found = value.value
                case s.AfterSet(field=field, value=value, seconds=seconds) if field.name == STAGE:
                    if self.stage.start + timedelta(seconds=seconds) <= at:
                        found = value.value
        return declared if found is None else (p.Stage(name=str(found), condition=ANYBODY), *declared)

    def _next(self) -> tuple[datetime, Plan] | None:
        """The earliest next run of any of the playbooks."""
        found: list[tuple[datetime, int, Plan]] = []
        for number, plan in enumerate(self.stage.plans):
            if (at := self._next_of(plan)) is not None:
                found.append((at, number, plan))
        if not found:
            return None
        at, _, plan = min(found, key=lambda each: each[:2])
        return at, plan

    def _next_of(self, plan: Plan) -> datetime | None:
        grid, last = self.stage.grids[plan.name], self.last.get(plan.name)
        if last is None:
            return self._first(plan, grid)
        coming = [each.at for each in self.coming[self.taken :]]
        sets = [line.seconds for line in self.stage.scenario.lines if isinstance(line, s.AfterSet)]
        coming += [self.stage.start + timedelta(seconds=seconds) for seconds in sets]  # a stage comes with no call
        instants = sorted(at for at in coming if at > last)[:1]
        calls_and_sets, looked = instants, last
        while True:
            looking = Looking(
                store=self.store, person=self.person, plan=plan, last=looked, zone=self.stage.bench.zone,
                lifecycle=self._lifecycle(looked),
            )  # fmt: skip
            due, turn = upcoming(looking, until=self.stage.horizon)
            first = min([*calls_and_sets, *due], default=None)
            if turn is None or (first is not None and first <= turn):
                return None if first is None else self._after(grid, first, last)
            at = self._after(grid, turn, looked)
            if first is not None and first <= at:
                return at
            there = replace(looking, last=at)
            if is_other(there, self.stage.bench.world(self.store, at, self._lifecycle(at))):
                return at
            looked = at  # nothing has turned in fact, and the run would do nothing

    def _after(self, grid: Grid, at: datetime, last: datetime) -> datetime:
        """The first run at or after `at`, and after `last`."""
        found = grid.first(at)
        return found if found > last else grid.first(last + timedelta(microseconds=1))

    def _first(self, plan: Plan, grid: Grid) -> datetime:
        """A first run takes in starting events of the last day only: of a playbook that runs more rarely, the run
        before the first of them counts, for it was switched on before the story begins."""
        if not isinstance(plan.trigger, StartOn):
            return grid.first(self.stage.start)
        own = [call.at for call in self.coming if call.body.get("event") == plan.trigger.event]
        begin = min([self.stage.start, *own])
        found = grid.first(begin)
        return found if found - begin < _DAY else min(found, grid.first(begin - timedelta(seconds=grid.tolerance)))

    def _take(self, at: datetime) -> None:
        """Take in what the shop has sent by now."""
        batch = []
        while self.taken < len(self.coming) and self.coming[self.taken].at <= at:
            batch.append(read_call(self.coming[self.taken].body))
            self.taken += 1
        if not batch:
            return
        with write(self.store) as connection:
            done = ingest_batch(connection, batch, rules=self.stage.bench.rules, received_at=at)
            for outcome in done.outcomes:
                if outcome.kind == "rejected":
                    raise Impossible(outcome.reason or "A line cannot be taken in.")
            if not self.person:
                self._settle(connection)

    def _settle(self, connection: Connection) -> None:
        """Who is not held out by chance, and is in the arms that were given; else in the first of each experiment."""
        self.person = int(connection.scalar(select(profiles.c.id).where(profiles.c.merged_into.is_(None))) or 0)
        bucket = _bucket(self.stage.plans)
        connection.execute(update(profiles).where(profiles.c.id == self.person).values(bucket=bucket))
        arms = {line.experiment: line.arm for line in self.stage.scenario.lines if isinstance(line, s.GivenArm)}
        rows = [
            {"experiment": step.name, "profile_id": self.person, "playbook": plan.name,
             "variant": arms.get(step.name) or _first_arm(step), "at": micros(self.stage.start)}
            for plan in self.stage.plans
            for step in plan.steps
            if isinstance(step, Experiment)
        ]  # fmt: skip
        if rows:
            connection.execute(insert(assignments), rows)
        since = micros(self.stage.start)
        for line in self.stage.scenario.lines:
            if isinstance(line, s.GivenField) and line.field.name.startswith(MEMBER):
                name = line.field.name.removeprefix(MEMBER)
                row = {"audience": name, "profile_id": self.person, "member": line.value.value}
                connection.execute(insert(memberships).values(**row, changed_at=since, told_at=since))

    def result(self, told: Told) -> Result:
        stage = self.stage
        problems = verdict(
            stage.scenario, told.facts, plan=stage.plan, grid=stage.grids[stage.plan.name], start=stage.start,
            zone=stage.zone, watching=self.watching,
        )  # fmt: skip
        if self.stuck:
            stuck = Problem(
                span=stage.scenario.span, text="", told=self.stuck, hint="Look at its `enter` and `enroll in` lines."
            )
            problems = (stuck, *problems)
        lines = tuple(_timeline(self.coming, told, self.watching, stage.start, stage.zone)) if self.watching else ()
        entered = any(fact.kind == "enter" and fact.playbook == stage.plan.name for fact in told.facts)
        meant = any(isinstance(each, s.Expect) and each.outcome == "enter" for each in stage.scenario.lines)
        return Result(
            scenario=stage.scenario, problems=problems, timeline=lines, passed=told.passed, runs=self.runs,
            idle=not entered and not meant,
        )  # fmt: skip


def reached(plans: Mapping[str, Plan], name: str) -> tuple[Plan, ...]:
    """The playbook, and those that it enrolls people in, and these again."""
    found = [plans[name]]
    for plan in found:
        for step in plan.steps:
            if isinstance(step, Enroll) and step.playbook in plans and plans[step.playbook] not in found:
                found.append(plans[step.playbook])
    return tuple(found)


def _named(scenario: s.Scenario) -> Iterator[int]:
    """The seconds after the start of which the scenario speaks."""
    for line in scenario.lines:
        match line:
            case s.AfterEvent(seconds=seconds) | s.AfterSet(seconds=seconds) | s.AfterMessage(seconds=seconds):
                yield seconds
            case s.Expect(after=after, before=before):
                yield after or before or 0


def _bucket(plans: Sequence[Plan]) -> int:
    """A bucket that belongs to no playbook's holdout, if there is one."""
    step = PRIME // 1009
    for number in range(1009):
        bucket = number * step
        if not any(held_out(bucket, plan.name, plan.holdout) for plan in plans if plan.holdout):
            return bucket
    return 0


def _first_arm(experiment: Experiment) -> str:
    names = [variant.name for variant in experiment.variants if variant.name != HOLDOUT_ARM]
    return names[0] if names else HOLDOUT_ARM


def _timeline(
    coming: Sequence[Call], told: Told, watching: Watching | None, start: datetime, zone: ZoneInfo
) -> Iterator[Line]:
    lines = [(micros(call.at), 0, call.told) for call in coming if call.told]
    for fact in told.facts:
        lines += [(at, 1, text) for at, text in _said(fact, watching)]
    for at, _, text in sorted(lines, key=lambda each: each[:2]):
        moment = instant(at)
        yield Line(at=moment, text=text or "", since=moment - start, local=moment.astimezone(zone))


def _said(fact: Any, watching: Watching | None) -> Iterator[tuple[int, str]]:
    match fact.kind:
        case "branch":
            values = watching.values(fact.playbook, fact.step, fact.at) if watching else ""
            yield fact.at, f"{fact.text}{f'  ({values})' if values else ''}"
        case "send" | "create" | "update" if fact.happened:
            if fact.kind == "send" and fact.at > fact.planned_at:
                yield fact.planned_at, f"{fact.text}: queued, must wait"
            yield fact.at, fact.text
        case "send" | "create" | "update":
            yield fact.at, f"{fact.text}: {'failed' if fact.failed else 'not sent'}, {fact.why}"
        case _:
            yield fact.at, fact.text
