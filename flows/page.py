"""The watcher that draws a tick on the page of a Prefect run: a task run per step, log lines, progress, artifacts."""

from __future__ import annotations

import logging
import time
import unicodedata
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from uuid import UUID

from prefect import State, allow_failure, task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed

from flows import artifacts
from flows.failure import reason
from flows.watch import Table

T = TypeVar("T")


BAR_AFTER_SECONDS = 2.0
TELL_EVERY_SECONDS = 0.5

_SIGNS = str.maketrans(
    {"·": "-", "–": "-", "—": "-", "→": "->", "…": "...", "€": "EUR ", "£": "GBP ", "¥": "JPY ", "×": "x"}
)


def drawable(name: str) -> str:
    """The name in the characters that the graph's font has (ASCII): it leaves others out, so `€50` would be `50`."""
    plain = unicodedata.normalize("NFKD", name.translate(_SIGNS))
    kept = (sign for sign in plain if not unicodedata.combining(sign))
    return "".join(sign if sign.isascii() and sign.isprintable() else "?" for sign in kept)


def _worth_reading(record: logging.LogRecord) -> bool:
    """False for what Prefect says of every step that went well: the log is for sentences about the playbook."""
    return not record.getMessage().startswith("Finished in state Completed")


@dataclass(slots=True)
class _Bar:
    """A progress bar: where it stands, and what Prefect was told."""

    total: int
    id: UUID | None = None
    percent: int = 0
    told: int | None = None
    told_at: float = float("-inf")


class Page:
    """A Watcher for the flow run that is going on. What Prefect cannot show never stops the tick."""

    def __init__(self, *, playbook: str, pace: float = 0.0) -> None:
        """`pace`: the shortest that a step is drawn, in seconds. Too short ones lie on top of each other."""
        self._playbook = playbook
        self._pace = pace
        self._states: dict[str, State[Any]] = {}
        self._bars: dict[str, _Bar] = {}
        self._begun = 0.0
        self._step = copy_context()
        logging.getLogger("prefect.task_runs").addFilter(_worth_reading)

    @property
    def steps(self) -> int:
        """How many were drawn."""
        return len(self._states)

    def run(self, key: str, name: str, work: Callable[[], T], *, after: Sequence[str] = ()) -> T:
        """See Watcher. The task run is named `name`, and an arrow leads to it from each step of `after`."""
        results: list[T] = []
        errors: list[Exception] = []

        # What comes out of `work` goes past Prefect: results are not its business, and an error would be kept with
        # its whole traceback, which quotes values.
        @task(
            name=key,
            task_run_name=lambda: drawable(name),
            persist_result=False,
            cache_policy=NO_CACHE,
            retries=0,
            log_prints=False,
        )
        def step() -> State[None]:
            self._begun, self._step = time.monotonic(), copy_context()
            try:
                results.append(work())
            except Exception as error:
                errors.append(error)
                return Failed(message=reason(error))
            if (bar := self._bars.get(key)) is not None and bar.id is not None:
                bar.percent = 100  # what was skipped is done with too
                self._tell(key, bar)
            time.sleep(max(0.0, self._begun + self._pace - time.monotonic()))
            return Completed()

        # The step is run whatever became of those before it: only the tick decides that. `wait_for` draws the arrows.
        before = [allow_failure(self._states[earlier]) for earlier in after if earlier in self._states]
        state = step(wait_for=before, return_state=True)
        self._states[key] = state
        if errors:
            raise errors[0]
        if not results:
            raise RuntimeError(f"Prefect did not run the step {name!r}: {state.message}")
        return results[0]

    def say(self, sentence: str) -> None:
        get_run_logger().info(sentence)

    def progress(self, key: str, done: int, total: int) -> None:
        """See Watcher. There is a bar only for what takes longer than a moment; it moves twice a second at most."""
        bar = self._bars.setdefault(key, _Bar(total=total))
        bar.percent = 100 * done // total if total else 100
        now = time.monotonic()
        if now - self._begun >= BAR_AFTER_SECONDS and now - bar.told_at >= TELL_EVERY_SECONDS:
            # Called from an event loop that was made before the step was, as deliveries are, there is no step around.
            self._step.run(self._tell, key, bar)

    def _tell(self, key: str, bar: _Bar) -> None:
        if bar.told == bar.percent:
            return
        try:
            if bar.id is None:
                name = artifacts.artifact_key(self._playbook, key)
                made = create_progress_artifact(progress=bar.percent, key=name, description=f"{bar.total:,} in all")
                bar.id = cast("UUID", made)
            else:
                update_progress_artifact(artifact_id=bar.id, progress=bar.percent)
        except Exception as error:
            self._not_shown(key, error)
        bar.told, bar.told_at = bar.percent, time.monotonic()

    def show(self, key: str, title: str, markdown: str | None = None, table: Table | None = None) -> None:
        """See Watcher."""
        try:
            artifacts.show(self._playbook, key, title, markdown, table)
        except Exception as error:
            self._not_shown(key, error)

    def _not_shown(self, key: str, error: Exception) -> None:
        get_run_logger().warning("%s could not be shown on this page: %s", key, reason(error))
