"""What became of the people in an experiment: counts, without a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, distinct, func, select, true

from dsl.plan import Experiment
from store.clock import SECOND, micros
from store.schema import assignments, events


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    name: str
    people: int
    """Who were exposed, whatever happened then (intention to treat)."""
    converted: int
    """Of those, who did what is measured within its window from their exposure."""


def arms(
    connection: Connection, experiment: Experiment, *, where: ColumnElement[bool] | None, as_of: datetime
) -> tuple[Arm, ...]:
    """The arms in the order of the playbook; `where` is the measure's condition over events. Without a measure nobody
    has converted."""
    measure = experiment.measure
    happened = and_(
        events.c.profile_id == assignments.c.profile_id,
        events.c.name == (measure.event if measure else None),
        events.c.at > assignments.c.at,
        events.c.at < assignments.c.at + (measure.seconds if measure else 0) * SECOND,
        events.c.at <= micros(as_of),
        true() if where is None else where,
    )
    rows = connection.execute(
        select(
            assignments.c.variant,
            func.count(distinct(assignments.c.profile_id)).label("people"),
            func.count(distinct(events.c.profile_id)).label("converted"),
        )
        .select_from(assignments.outerjoin(events, happened))
        .where(assignments.c.experiment == experiment.name)
        .group_by(assignments.c.variant)
    )
    counted = {row.variant: row for row in rows}
    return tuple(
        Arm(
            name=variant.name,
            people=counted[variant.name].people if variant.name in counted else 0,
            converted=counted[variant.name].converted if variant.name in counted else 0,
        )
        for variant in experiment.variants
    )
