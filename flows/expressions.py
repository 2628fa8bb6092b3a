"""The conditions of a plan as SQL over people, enrollments and events: what the ledger is handed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, case, func, select

from dsl import conditions
from dsl.catalog import STAGE, YEARLY
from dsl.conditions import Field
from dsl.plan import Branch, Enroll, Experiment, LeaveOn, Plan, SetField, Stage, StartOn, StartWhen, Wait
from dsl.types import Type
from experiments.assign import held_out_sql, sticky_arm_sql
from flows.answers import asked, counted
from ledger.actions import Given, Joining
from ledger.rows import started
from ledger.standing import Until
from profiles.columns import Document
from profiles.reading import Place, find, read
from profiles.select import Moment, alive, event_holds, holds, stage
from profiles.writing import as_json
from store.clock import SECOND, micros
from store.schema import enrollments, events, profiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Expressions:
    """What a plan's conditions are as SQL at one moment."""

    plan: Plan
    moment: Moment

    @property
    def _inside(self) -> Moment:
        """The moment for people who are enrolled: since entry, and the event that started it."""
        return replace(self.moment, entered_at=enrollments.c.entered_at, event=started.c.properties)

    def matches(self) -> ColumnElement[bool]:
        """Who meets `start when`, over profiles and traits."""
        assert isinstance(self.plan.trigger, StartWhen)
        return alive() & holds(self.plan.trigger.condition, self.moment)

    def starts(self) -> ColumnElement[bool]:
        """Which events meet `start on … where`, over events."""
        assert isinstance(self.plan.trigger, StartOn)
        return event_holds(self.plan.trigger.where, self.moment)

    def admits(self) -> ColumnElement[bool] | None:
        """Who meets `only if`, over profiles, traits and the event that starts it; None: everybody."""
        if self.plan.only_if is None:
            return None
        return holds(self.plan.only_if, self._entering)

    @property
    def _entering(self) -> Moment:
        event = started.c.properties if isinstance(self.plan.trigger, StartOn) else None
        return replace(self.moment, event=event)

    def held_out(self) -> ColumnElement[bool]:
        """Who belongs to the playbook's holdout, over profiles."""
        return held_out_sql(profiles.c.bucket, self.plan.name, self.plan.holdout)

    def exits(self) -> Sequence[tuple[str, ColumnElement[bool]]]:
        """Reason and condition of each `leave`, over profiles, traits and enrollments."""
        found: list[tuple[str, ColumnElement[bool]]] = []
        for line in self.plan.exits:
            if isinstance(line, LeaveOn):
                since = conditions.Window(kind="entry")
                happened = conditions.HasEvent(event=line.event, least=1, most=None, window=since, where=line.where)
                found.append((f"on {line.event}", holds(happened, self._inside)))
            else:
                found.append(("when", holds(line.condition, self._inside)))
        return found

    def goal(self) -> ColumnElement[bool]:
        """Which events meet the goal's `where`, over events and enrollments."""
        assert self.plan.goal is not None
        return event_holds(self.plan.goal.where, self._inside)

    def decisions(self) -> Mapping[str, Sequence[ColumnElement[bool]]]:
        """Per branch step the conditions of its arms, over profiles, traits and enrollments."""
        return {
            step.id: [holds(arm.condition, self._inside) for arm in step.arms]
            for step in self.plan.steps
            if isinstance(step, Branch)
        }

    def asks(self) -> Mapping[str, Mapping[str, ColumnElement[Any]]]:
        """Per branch step what its arms ask of the person, by name and as `flows.answers` reads it.

        Stages are asked only where there is a lifecycle still.
        """
        place = Place(moment=self._inside, stage=partial(stage, self.moment) if self.moment.lifecycle else None)
        found: dict[str, Mapping[str, ColumnElement[Any]]] = {}
        for step in self.plan.steps:
            if isinstance(step, Branch):
                arms = [arm.condition for arm in step.arms]
                fields = {n: f for n, f in asked(arms).items() if f.name != STAGE or place.stage is not None}
                found[step.id] = {
                    **{name: read(field, field.type, place) for name, field in fields.items()},
                    **{name: self._many(test) for name, test in counted(arms).items()},
                }
        return found

    def _many(self, test: conditions.HasEvent) -> ColumnElement[int]:
        """How often an event had happened."""
        now = micros(self.moment.as_of)
        many = select(func.count()).where(
            events.c.profile_id == enrollments.c.profile_id, events.c.name == test.event, events.c.at <= now
        )
        if test.window is not None and test.window.kind == "entry":
            many = many.where(events.c.at > enrollments.c.entered_at)
        elif test.window is not None:
            many = many.where(events.c.at >= now - (test.window.seconds or 0) * SECOND)
        return many.correlate(enrollments).scalar_subquery()

    def arms(self) -> Mapping[str, ColumnElement[int]]:
        """Per experiment step the number of the person's variant, from 1, over profiles."""
        return {step.id: sticky_arm_sql(step) for step in self.plan.steps if isinstance(step, Experiment)}

    def wakes(self) -> Mapping[str, ColumnElement[bool]]:
        """Per wait for an event or a condition what ends it before its time is up, over `ledger.rows.inside()`."""
        return {
            step.id: holds(step.condition, self._inside)
            for step in self.plan.steps
            if isinstance(step, Wait) and step.condition is not None
        }

    def until(self) -> Mapping[str, Until]:
        """Per wait until a field when that is, over `ledger.rows.inside()`."""
        return {
            step.id: self._until(step.field)
            for step in self.plan.steps
            if isinstance(step, Wait) and step.field is not None
        }

    def _until(self, field: Field) -> Until:
        place = Place(moment=self._inside)
        if field.type is Type.DATE:
            yearly = field.scope == "profile" and field.name in YEARLY
            return Until(day=read(field, Type.DATE, place), yearly=yearly)
        instant = read(field, Type.TIMESTAMP, place)
        if not isinstance(find(field, place), Document):
            return Until(instant=instant)
        # Sent as a day alone, it is that day where the person lives, and not its start in UTC.
        alone = func.length(read(field, Type.TEXT, place)) == 10
        return Until(instant=instant, day=case((alone, read(field, Type.DATE, place))))

    def given(self, plans: Mapping[str, Plan]) -> Given:
        """What the steps need that act. `plans` are the current ones by name: those of `enroll in`."""
        steps = self.plan.steps
        return Given(
            values={step.id: as_json(step.value, self._inside) for step in steps if isinstance(step, SetField)},
            joins={
                step.id: self._joining(plans[step.playbook])
                for step in steps
                if isinstance(step, Enroll) and step.playbook in plans
            },
        )

    def _joining(self, plan: Plan) -> Joining:
        other = replace(self, plan=plan)
        return Joining(plan=plan, admits=other.admits(), held_out=other.held_out())


def expressions(
    plan: Plan, *, as_of: datetime, zone: str, consent: frozenset[str], lifecycle: tuple[Stage, ...] = ()
) -> Expressions:
    """The plan's conditions at `as_of`; `zone` is the project's, `consent` the channels where no row means yes."""
    return Expressions(plan=plan, moment=Moment(as_of=as_of, zone=zone, consent=consent, lifecycle=lifecycle))


def measured(experiment: Experiment, *, as_of: datetime, zone: str) -> ColumnElement[bool] | None:
    """Which events count for an experiment's `measure`, over events; None: it measures nothing."""
    if experiment.measure is None:
        return None
    return event_holds(experiment.measure.where, Moment(as_of=as_of, zone=zone, consent=frozenset()))
