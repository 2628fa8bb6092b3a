"""`wait until FIELD` of a person asks before whether the field is known: who has none would leave there."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.checks.ways import EVERYTHING, KNOWN, Way, both, ways
from dsl.conditions import Condition, Field
from dsl.diagnostics import Diagnostic
from dsl.program import Experiment, If, Program, Step, Stop, Wait, blocks

_ALWAYS = frozenset({"created_at", "last_seen_at"})
_Facts = list[Way] | None
"""What holds for everybody at a place; None: too much to follow."""


def until(program: Program) -> Iterator[Diagnostic]:
    """Waits until a date or a time that the person may not have. Of properties of the starting event nothing is told:
    whoever sends the event gives them, or does not."""
    for playbook in program.playbooks:
        facts: _Facts = [{}]
        for asked in (playbook.start_when, playbook.only_if):
            if asked is not None and asked.meaning is not None:
                facts = both(facts, ways(asked.meaning))
        found: list[Wait] = []
        _block(playbook.body, facts, found)
        for wait in found:
            name = wait.field.name if wait.field else ""
            yield Diagnostic(
                code="WB360",
                span=wait.span,
                message=f"Whoever has no `{name}` leaves at this wait, and gets nothing of what follows.",
                hint=f"Ask before: `only if {name} is known` at the top, or `if {name} is known:` around it.",
                severity="warning",
            )


def _block(body: tuple[Step, ...], facts: _Facts, found: list[Wait]) -> _Facts:
    """What holds for those who come to the end of the block, [] when nobody does; `found` gets the doubtful waits."""
    for step in body:
        match step:
            case Wait(field=Field(scope="profile") as field) if field.name not in _ALWAYS:
                if not _is_known(field, facts):
                    found.append(step)
                facts = both(facts, [{field: KNOWN}])
            case If():
                facts = _fork(step, facts, found)
            case Experiment():
                for block in blocks(step):
                    _block(block, facts, found)
            case Stop():
                return []
            case _:
                pass
    return facts


def _fork(fork: If, facts: _Facts, found: list[Wait]) -> _Facts:
    ends: list[_Facts] = []
    left = facts
    for arm in fork.arms:
        meaning = arm.asked.meaning if arm.asked else None
        if meaning is None:  # it might have asked
            _block(arm.body, [], found)
            return []
        ends.append(_block(arm.body, _and(left, meaning, holds=True), found))
        left = _and(left, meaning, holds=False)
    ends.append(_block(fork.otherwise or (), left, found))
    together: list[Way] = []
    for end in ends:
        if end is None:
            return None
        together += end
    return together


def _and(facts: _Facts, meaning: Condition, *, holds: bool) -> _Facts:
    return both(facts, ways(meaning, holds=holds))


def _is_known(field: Field, facts: _Facts) -> bool:
    return facts is not None and not any(way.get(field, EVERYTHING).unknown for way in facts)
