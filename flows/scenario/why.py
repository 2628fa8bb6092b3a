"""What a scenario's timeline tells beside the ledger: the values that forks asked, and why nobody entered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from dsl import conditions as c
from dsl import regions
from dsl.catalog import STAGE
from dsl.plan import Branch, Plan, SetField, StartOn, StartWhen
from dsl.types import Type
from dsl.wording import say
from flows.answers import said
from flows.expressions import expressions
from flows.scenario.world import Bench
from flows.world import World
from ledger.enroll import LATE_EVENTS
from ledger.rows import people_of, started
from profiles.person import event_properties, typed, values
from profiles.select import Moment, event_holds, holds, people
from store.clock import instant, micros
from store.schema import enrollments, events, journal, profiles


@dataclass(slots=True, kw_only=True)
class Watching:
    """Looks at the store after each run."""

    bench: Bench
    currency: str
    asked: dict[tuple[str, str, int], str] = field(default_factory=dict)
    """By playbook, fork and time what the fork asked, and the answers."""
    reasons: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By playbook why the person did not enter, and how many reasons there were: the run with the fewest counts."""

    before: dict[str, Any] = field(default_factory=dict)
    """Fields that forks ask, as they were before the run."""

    def values(self, playbook: str, step: str, at: int) -> str:
        """What a fork asked when somebody came by: `cart.total was $40`. Empty: nothing that has a value."""
        return self.asked.get((playbook, step, at), "")

    def not_entered(self, plan: Plan) -> str:
        """Why the person did not enter, without a full stop; empty when nothing is known."""
        return self.reasons.get(plan.name, (0, ""))[1]

    def prepare(self, store: Connection, person: int, plan: Plan, at: datetime) -> None:
        """Take note of what forks will ask, before a run that may change it."""
        arms = [arm.condition for step in plan.steps if isinstance(step, Branch) for arm in step.arms]
        leaves = [leaf for condition in arms for leaf in _leaves(condition)]
        kinds = {
            leaf.field.name: leaf.field.type
            for leaf in leaves
            if hasattr(leaf, "field") and leaf.field.scope == "profile" and leaf.field.name != STAGE
        }
        asked = [name for name in kinds if not name.startswith("recommended.")]
        found = values(store, [person], asked, as_of=at, types=kinds)
        self.before = {name: found.get(person, {}).get(name) for name in asked}

    def look(self, store: Connection, person: int, plan: Plan, world: World, at: datetime) -> None:
        """Take note of what a run has asked."""
        now = micros(at)
        mine = select(enrollments.c.id, enrollments.c.event, enrollments.c.entered_at).where(
            enrollments.c.playbook == plan.name
        )
        inside = {row.id: row for row in store.execute(mine)}
        if not inside:
            self._outside(store, person, plan, world, at)
            return
        passes = select(journal).where(journal.c.at == now, journal.c.enrollment_id.in_(list(inside)))
        for row in store.execute(passes):
            choices = regions.unpack(regions.decisions(plan, row.region), row.path)
            for id in regions.walk(plan, row.region, choices).steps:
                step = plan.step(id)
                if isinstance(step, SetField):  # from here on it is what the store has after the run
                    self.before.pop(step.field.name, None)
                if isinstance(step, Branch):
                    arms = step.arms[: choices[id] or None]
                    conditions = [arm.condition for arm in arms]
                    said = self._answers(store, person, conditions, at, inside[row.enrollment_id])
                    self.asked[plan.name, id, now] = said

    # ── Why nobody entered ────────────────────────────────────────────────────────────────────────────────────────────
    def _outside(self, store: Connection, person: int, plan: Plan, world: World, at: datetime) -> None:
        if isinstance(plan.trigger, StartWhen):
            self._keep(plan, self._failing(store, person, plan, plan.trigger.condition, "start when", world, at, None))
            return
        heard = select(events.c.id, events.c.at).where(events.c.name == plan.trigger.event, events.c.at <= micros(at))
        rows = store.execute(heard.order_by(events.c.at)).all()
        if not rows:
            self._keep(plan, [f"no `{plan.trigger.event}` happened"])
        for row in rows:
            self._keep(plan, self._event(store, person, plan, plan.trigger, world, at, row))

    def _event(
        self, store: Connection, person: int, plan: Plan, trigger: StartOn, world: World, at: datetime, row: Any
    ) -> list[str]:
        moment = self._moment(plan, world, at)
        if not store.scalar(select(event_holds(trigger.where, moment)).where(events.c.id == row.id)):
            said = say(trigger.where, self.currency) if trigger.where else ""
            return [f"the `{trigger.event}` does not meet `where {said}`"]
        if instant(row.at) + LATE_EVENTS < at:
            return [f"the `{trigger.event}` was more than 24 hours old"]
        return self._only_if(store, person, plan, world, at, row.id)

    def _failing(
        self, store: Connection, person: int, plan: Plan, condition: c.Condition, place: str, world: World,
        at: datetime, event: int | None,
    ) -> list[str]:  # fmt: skip
        moment = self._moment(plan, world, at)
        if event is not None:
            moment = replace(moment, event=started.c.properties)
        parts = condition.conditions if isinstance(condition, c.AllOf) else (condition,)
        found = []
        for part in parts:
            source = people_of(started, started.c.profile_id) if event is not None else None
            asked = select(holds(part, moment))
            if source is not None:
                asked = asked.select_from(source).where(started.c.id == event)
            else:
                asked = asked.select_from(people()).where(profiles.c.id == person)
            if not store.scalar(asked):
                row = None
                answers = self._answers(store, person, [part], at, row)
                found.append(
                    f"`{say(part, self.currency)}` of `{place}` did not hold{f' ({answers})' if answers else ''}"
                )
        if not found and place == "start when":
            return self._only_if(store, person, plan, world, at, None)
        return found

    def _only_if(
        self, store: Connection, person: int, plan: Plan, world: World, at: datetime, event: int | None
    ) -> list[str]:
        if plan.only_if is None:
            return []
        return self._failing(store, person, plan, plan.only_if, "only if", world, at, event)

    def _moment(self, plan: Plan, world: World, at: datetime) -> Moment:
        moment = expressions(plan, as_of=at, zone=world.zone, consent=world.consent).moment
        return replace(moment, lifecycle=getattr(world, "lifecycle", self.bench.compiled.lifecycle))

    def _keep(self, plan: Plan, reasons: list[str]) -> None:
        known = self.reasons.get(plan.name)
        if reasons and (known is None or len(reasons) < known[0]):
            self.reasons[plan.name] = len(reasons), ", and ".join(reasons)

    # ── What was asked ────────────────────────────────────────────────────────────────────────────────────────────────
    def _answers(
        self, store: Connection, person: int, conditions: list[c.Condition], at: datetime, row: Any | None
    ) -> str:
        said: dict[str, str] = {}
        for leaf in (leaf for condition in conditions for leaf in _leaves(condition)):
            match leaf:
                case c.HasEvent(event=event, window=window):
                    since = row.entered_at if row is not None and window is not None and window.kind == "entry" else -1
                    many = select(func.count()).where(
                        events.c.name == event, events.c.at <= micros(at), events.c.at > since
                    )
                    count = store.scalar(many) or 0
                    when = " since entry" if since >= 0 else ""
                    said[event] = f"{count or 'no'} {event}{when}"
                case c.LastEvent() | c.CanReceive() | c.InAudience() | c.Message() | c.Not() | c.AllOf() | c.AnyOf():
                    continue
                case _ if leaf.field.scope == "event":
                    started_by = event_properties(store, [row.event]) if row is not None and row.event else {}
                    sent = next(iter(started_by.values()), {}).get(leaf.field.name)
                    name = f"event.{leaf.field.name}"
                    said[name] = f"{name} was {self._said(typed(sent, leaf.field.type), leaf.field.type)}"
                case _:
                    name, kind = leaf.field.name, leaf.field.type
                    if name == STAGE:
                        continue
                    known = self.before.get(name)
                    if name not in self.before:
                        known = values(store, [person], [name], as_of=at, types={name: kind})[person][name]
                    said[name] = f"{name} was {self._said(known, kind)}"
        return ", ".join(said.values())

    def _said(self, value: Any, kind: Type) -> str:
        return said(value, kind, self.currency, self.bench.zone)


def _leaves(condition: c.Condition) -> Iterator[Any]:
    match condition:
        case c.AllOf(conditions=parts) | c.AnyOf(conditions=parts):
            for part in parts:
                yield from _leaves(part)
        case c.Not(condition=inner):
            yield from _leaves(inner)
        case _:
            yield condition
