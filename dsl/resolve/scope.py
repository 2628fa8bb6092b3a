"""What names mean at one place of a playbook, and where mistakes are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from dsl.catalog import Catalog, Event
from dsl.conditions import Condition, Constant
from dsl.diagnostics import Diagnostic, Severity, Span
from dsl.program import Segment
from dsl.suggest import meant

_NAMED_WRONGLY = frozenset({f"WB2{number:02}" for number in (*range(1, 9), 11, 26, 34, 36, 37, 39)})
"""Codes whose place is the one name or value that is wrong, so that another can be put there."""


class Absent(Enum):
    """Why no event can be asked about at a place."""

    MISSING = "no event starts the playbook"
    BROKEN = "the event could not be read, or is unknown: told already"
    OWN = "the place is the `where` of the starting event itself"
    SHARED = "the place belongs to no one playbook"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    catalog: Catalog
    constants: Mapping[str, Constant | None]
    """None: declared, but its value is wrong."""
    segments: Mapping[str, Segment]
    audiences: Mapping[str, bool]
    """By name whether it has an `include` rule."""
    rules: Mapping[str, Condition | None]
    """The meaning of each audience with rules; None: they are broken, which is told, or contain themselves."""
    playbooks: frozenset[str]
    stages: tuple[str, ...]
    """The stages of the lifecycle, by which `stage` is asked about."""
    named: Mapping[int, str]
    """How segments and audiences were written, by the identity of their meanings: see `wording.say`."""
    suspects: frozenset[str]
    """Names that lines which could not be read may have declared: they are not told as unknown."""
    problems: list[Diagnostic]
    start: Event | Absent = Absent.MISSING
    """The event that starts the playbook, for `event.x`."""
    where: Event | Absent | None = None
    """In a `where`: the event that it is about."""
    beside: Event | Absent | None = None
    """The event whose `where` ended just before this condition: its properties are not fields, but may be meant."""
    entry: bool = False
    """There is an entry that `since entry` can count from."""
    place: str = "here"
    """Where it stands, for messages, such as: in `start when`."""

    def tell(self, code: str, span: Span, message: str, hint: str | None = None, severity: Severity = "error") -> None:
        """Adds a problem."""
        fix = meant(hint, span) if code in _NAMED_WRONGLY else None
        problem = Diagnostic(code=code, span=span, message=message, hint=hint, severity=severity, fix=fix)
        self.problems.append(problem)

    def about(self, event: Event | Absent) -> Scope:
        """The scope inside the `where` of an event."""
        return replace(self, where=event)
