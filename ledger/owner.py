"""Who holds a lease, and whether that process is still there."""

from __future__ import annotations

import os
import socket
from functools import lru_cache
from pathlib import Path

_PROC = Path("/proc")


def this_process() -> str:
    """host:boot:pid:start of this process. No two processes ever share it, not even over a restart."""
    return f"{_place()}:{os.getpid()}:{_start(os.getpid()) or ''}"


def is_dead(owner: str) -> bool:
    """True when the process certainly ended. False where that cannot be known: it runs, or on another machine."""
    place, _, rest = owner.rpartition(":")
    place, _, pid = place.rpartition(":")
    if place != _place() or not pid.isdecimal():
        return False
    if not rest:
        return not _answers(int(pid))
    return _start(int(pid)) != rest


@lru_cache(maxsize=1)
def _place() -> str:
    """Where process ids mean the same: the host, its boot and, in containers, the space of process ids."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        boot += (_PROC / "self/ns/pid").readlink().name
    except OSError:
        boot = ""
    return f"{socket.gethostname()}:{boot.replace(':', '')}"


def _start(pid: int) -> str | None:
    """The start time of a process in ticks since boot; None: there is none, or it has ended and waits to be reaped."""
    try:
        # After the name, which may hold blanks and brackets: state, 18 more fields, start time (proc(5)).
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
