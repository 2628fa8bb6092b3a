"""Who is in which lifecycle stage since when: noted by ticks, when somebody asks for how long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from dsl.conditions import HasBeen
from flows.world import World
from profiles.lifecycle import note
from profiles.select import Moment
from store.engine import write

STAGE = "stage"


def asks_how_long(parts: Iterable[object]) -> bool:
    """Whether a condition in these plans, audiences or stages asks since when somebody has been in a stage."""
    return any(each.field.name == STAGE for part in parts for each in _in(part) if isinstance(each, HasBeen))


def note_stages(world: World, as_of: datetime) -> int:
    """Write down for everybody whose stage is a new one that it is so since `as_of`. Returns how many those are."""
    moment = Moment(as_of=as_of, zone=world.zone, consent=world.consent, lifecycle=world.lifecycle)
    with write(world.store) as connection:
        return note(connection, world.lifecycle, moment)


def _in(part: Any) -> Iterator[Any]:
    """A value of the compiler and all that it is made of."""
    pending = [part]
    while pending:
        each = pending.pop()
        yield each
        if isinstance(each, tuple | list):
            pending += each
        elif is_dataclass(each):
            pending += [getattr(each, field.name) for field in fields(each)]
