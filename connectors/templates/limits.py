"""Limits of one rendering: steps, characters, sizes of values, seconds. The sandbox of Jinja2 alone has none.

Everything that a template can do in a loop takes a step, and everything that it can make is measured when it is made,
so the first limits end a rendering at the same place on every machine. The seconds are processor time of the thread,
the last resort; a busy machine fails nobody.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.templates.errors import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one message may cost."""

    characters: int = 500_000
    """Of the whole output, and of each text made on the way."""
    work: int = 5_000_000
    """Characters of all texts made on the way, and values of all lists, together."""
    steps: int = 50_000
    """Loop passes, calls, filters, sums and outputs together."""
    values: int = 10_000
    """Values in one list or table, with what lies in it."""
    seconds: float = 2.0
    """Processor time."""
    clock: Callable[[], float] = time.thread_time


DEFAULT = Limits()


class Budget:
    """What is left of the limits in one rendering."""

    __slots__ = ("_end", "_limits", "_steps", "_work")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._steps = limits.steps
        self._work = limits.work
        self._end = limits.clock() + limits.seconds

    def step(self, count: int = 1) -> None:
        """Raises Refused when the steps or the seconds are used up."""
        before = self._steps
        self._steps = before - count
        if self._steps < 0:
            raise Refused("template_too_long", "The template does too much.", "Loop over fewer things.")
        if before >> 6 != self._steps >> 6 and self._limits.clock() > self._end:
            raise Refused("template_too_long", "The template takes too long.", "Loop over fewer things.")

    def text(self, length: int) -> None:
        """A text of so many characters is made. Raises Refused when it, or all of them, are too long."""
        self._work -= length
        if length > self._limits.characters or self._work < 0:
            raise Refused(
                "template_too_large",
                f"The template makes more than {self._limits.characters:,} characters.",
                "Cut long values with `| truncate(200)`, and loop over fewer things.",
            )

    def weigh(self, value: Any) -> None:
        """A step, and the size of a value that was just made."""
        self.step()
        if isinstance(value, str):
            self.text(len(value))
        elif isinstance(value, int):
            if not -(10**30) < value < 10**30:
                raise Refused("template_too_large", "The template makes a number of more than 30 digits.")
        elif isinstance(value, Mapping | Sequence | set | frozenset):
            self._work -= self._count([value])
            self.text(0)

    def _count(self, stack: list[Any]) -> int:
        left = self._limits.values
        while stack:
            value = stack.pop()
            if isinstance(value, str | bytes):
                continue
            inner: Iterable[Any] = ()
            if isinstance(value, Mapping):
                inner = value.values()
            elif isinstance(value, list | tuple | set | frozenset):
                inner = value
            for one in inner:
                left -= 1
                if left < 0:
                    raise Refused(
                        "template_too_large", f"The template makes a list of more than {self._limits.values:,} values."
                    )
                stack.append(one)
        return self._limits.values - left

    def each(self, values: Iterable[Any]) -> Iterator[Any]:
        """The values, a step for each."""
        for value in values:
            self.step()
            yield value
