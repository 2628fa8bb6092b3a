"""How long a wait may last."""

from __future__ import annotations

from dsl.program import Wait

_DAY = 86_400
FOREVER = 36_525 * _DAY
"""A hundred years: longer than anything that a playbook can write."""


def lengths(wait: Wait) -> tuple[int, int]:
    """The shortest and the longest time that the wait can take, in seconds, but for changes of the clock."""
    if wait.field is not None:
        return 0, FOREVER
    if wait.asked is not None:
        return 0, wait.seconds or 0
    if wait.time is None:
        return wait.seconds or 0, wait.seconds or 0
    hours, minutes = wait.time.split(":")
    at = int(hours) * 3_600 + int(minutes) * 60
    if wait.days:
        return (wait.days - 1) * _DAY + at, wait.days * _DAY + at
    return 0, 7 * _DAY if wait.weekday else _DAY
