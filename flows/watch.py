"""What a tick and its watcher tell each other. A tick knows no Prefect; Prefect is one watcher of several."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

T = TypeVar("T")

Cell = str | int | float | None
Table = Sequence[Mapping[str, Cell]]
"""Rows of one table; the keys of the first are the headings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What a run is asked to do. Nothing here is about one person."""

    dry_run: bool = False
    """Everything is worked out and shown, nothing is kept and nothing is sent."""
    as_of: datetime | None = None
    """Run as if it were this instant (aware); None: now."""
    limit: int | None = None
    """At most so many messages go out, the next run goes on; None: no bound."""
    only_new: bool = False
    """At a first run, those who match already are taken as seen."""


class Report(Protocol):
    """What a tick gives back. Watchers read only the headline."""

    @property
    def headline(self) -> str:
        """A few words for the run's name: `312 entered · 580 sent`."""
        ...


class Watcher(Protocol):
    """Somebody who watches a tick. What it is told holds counts and names of steps, never personal data."""

    def run(self, key: str, name: str, work: Callable[[], T], *, after: Sequence[str] = ()) -> T:
        """Run `work` as one visible step.

        `key` is unique within the tick; `name` is what people read: `send email cart_reminder · 312 people`. `after`
        are the keys of the steps that come before it in the picture; a key that was not run is passed over. What
        `work` raises comes through as it is.
        """
        ...

    def say(self, sentence: str) -> None:
        """A line of the log."""
        ...

    def progress(self, key: str, done: int, total: int) -> None:
        """`done` of `total` of something long is behind us. May be called as often as one likes."""
        ...

    def show(self, key: str, title: str, markdown: str | None = None, table: Table | None = None) -> None:
        """Something to look at: a text in Markdown, a table, or both. `key` in letters, digits, `_` and `-`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One step as `Plain` saw it."""

    key: str
    name: str
    after: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Plain:
    """Just runs, and keeps what it was told: for tests, scenarios and dry runs."""

    visits: list[Visit] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    tables: dict[str, Table] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def run(self, key: str, name: str, work: Callable[[], T], *, after: Sequence[str] = ()) -> T:
        self.visits.append(Visit(key=key, name=name, after=tuple(after)))
        return work()

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)

    def progress(self, key: str, done: int, total: int) -> None:
        pass

    def show(self, key: str, title: str, markdown: str | None = None, table: Table | None = None) -> None:  # noqa: ARG002
        if table is not None:
            self.tables[key] = table
        if markdown is not None:
            self.texts[key] = markdown
