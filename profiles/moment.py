"""What a condition is asked against."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, literal

from dsl.plan import Stage
from store.clock import SECOND, micros

FAR = 2**62
"""Beyond every time that the store holds: where a window reaches out of the calendar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When, where, and in whose journey a condition is asked."""

    as_of: datetime
    zone: str
    """The project's IANA zone: where its calendar days begin."""
    consent: frozenset[str] = frozenset()
    """Channels for which no consent row means yes."""
    lifecycle: tuple[Stage, ...] = ()
    """The stages, in order. Without them `stage` is a field like the shop's own."""
    entered_at: ColumnElement[int] | None = None
    """For `since entry`: the time of entry, in the caller's statement."""
    event: ColumnElement[Any] | None = None
    """The JSON properties of the event that started the enrollment, in the caller's statement."""

    def at(self, seconds: int = 0) -> ColumnElement[int]:
        """`as_of` and so many seconds, as a bound value."""
        return literal(max(-FAR, min(FAR, micros(self.as_of) + seconds * SECOND)), BigInteger())
