"""The stage of the lifecycle as SQL: the first whose condition holds, over `people()`."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import ColumnElement, Text, case, literal

from profiles.event_tests import Ask
from profiles.moment import Moment
from profiles.reading import Place


def stage_of(moment: Moment, ask: Ask) -> ColumnElement[str]:
    """The name of the stage; never NULL, for the last stage has no condition.

    Raises ValueError for a lifecycle without stages, and for a stage that asks for the stage.
    """
    *conditional, last = moment.lifecycle or (None,)
    if last is None:
        raise ValueError("there is no lifecycle")
    # A stage is the same for everybody who asks: it knows of no enrollment.
    alone = Place(moment=replace(moment, lifecycle=(), entered_at=None, event=None), stage=_circle)
    arms = [(ask(stage.condition, alone), literal(stage.name, Text())) for stage in conditional if stage.condition]
    otherwise = literal(last.name, Text())
    return case(*arms, else_=otherwise) if arms else otherwise


def _circle() -> ColumnElement[str]:
    raise ValueError("a stage cannot ask for the stage")
