"""Named places in the work of a process at which something is made to happen: it is killed, stopped, or fails.

Database and network tell of each place that they pass (`database.watch`, `relay.Relay`); the product's own code knows
nothing of it.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

STATEMENT, BEFORE_COMMIT, AFTER_COMMIT = "statement", "before commit", "after commit"
CONNECTED, COMMAND, IN_BODY, TAKEN, ANSWERED = "connected", "command", "in the body", "taken", "answered"
"""The connection stands; a line goes out; half of a message has left; the provider's word for it has come as far as
this machine; the process has it."""

KILLS = (BEFORE_COMMIT, AFTER_COMMIT, CONNECTED, IN_BODY, TAKEN, ANSWERED)
OPERATIONS = (STATEMENT, BEFORE_COMMIT, AFTER_COMMIT, CONNECTED, COMMAND, IN_BODY, TAKEN, ANSWERED)


class Fault(Exception):  # noqa: N818  it is one on purpose
    """Raised at a point: whoever passes it makes of it what his kind of operation would meet."""


def nothing(_point: str) -> None:
    """What happens at most points."""


def kill(_point: str) -> None:
    """The process ends at once, and nothing of it is asked."""
    os.kill(os.getpid(), signal.SIGKILL)


def stop(_point: str) -> None:
    """The process stands still until somebody sends it SIGCONT."""
    os.kill(os.getpid(), signal.SIGSTOP)


def fail(point: str) -> None:
    """The operation fails."""
    raise Fault(point)


@dataclass(slots=True, kw_only=True)
class Points:
    """Counts what is passed, and does `act` at the `nth` passage (from 1) of one of the points `at`."""

    at: frozenset[str] = frozenset()
    nth: int = 0
    act: Callable[[str], None] = nothing
    passed: Counter[str] = field(default_factory=Counter)
    met: str | None = None
    """The point at which it happened."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def passing(self, point: str) -> None:
        """Raises Fault where `act` does."""
        with self._lock:
            self.passed[point] += 1
            here = point in self.at and sum(self.passed[name] for name in self.at) == self.nth
            if here:
                self.met = point
        if here:
            self.act(point)
