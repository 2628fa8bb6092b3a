"""Workers: processes that each play one tick of every playbook of the journey, to be killed or stopped.

`python -m tests.faults.worker FOLDER PORT` loads the project in FOLDER once and then makes a worker of itself for each
line of JSON (an `Order`) that comes in, so that a worker begins at once. It answers with the worker's process id. The
line `wait ID` is answered with how that worker ended: its exit code, or the negative number of a signal; `poll ID` with
`-` while it runs.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

from sqlalchemy.exc import DBAPIError

from flows.project import Project, open_project
from flows.tick import tick
from tests.faults import points as named
from tests.faults.database import watch
from tests.faults.journey import PLAYBOOKS, at_work, noon
from tests.faults.points import Points
from tests.faults.relay import Relay

ROOT = Path(__file__).parents[2]
STORE_GONE = 3
"""The exit code of a worker whose store went away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a worker is to do."""

    day: int
    playbooks: tuple[str, ...] = PLAYBOOKS
    at: tuple[str, ...] = ()
    """The points of which it acts at the `nth`."""
    nth: int = 0
    act: str = "nothing"
    """A function of `tests.faults.points`."""
    careless: bool = False
    losing: bool = False
    """The store may go away, which is no news."""
    ahead: float = 0
    """Seconds that its clock on the wall goes before others'."""
    hours: float = 0
    """After noon."""


def work(project: Project, provider: int, order: Order) -> None:
    """Play one tick of each playbook."""
    points = Points(at=frozenset(order.at), nth=order.nth, act=getattr(named, order.act))
    watch(project.engine, points)
    relay = Relay(provider, points)
    world = at_work(project, relay.port, careless=order.careless, ahead=timedelta(seconds=order.ahead))
    for name in order.playbooks:
        tick(world, project.compiled.plans[name], as_of=noon(order.day) + timedelta(hours=order.hours))


@dataclass(slots=True)
class Workers:
    """Where workers come from."""

    process: subprocess.Popen[str]

    @classmethod
    def of(cls, project: Project, provider: int) -> Self:
        """Workers of a project whose store has its schema."""
        command = [sys.executable, "-m", "tests.faults.worker", str(project.folder), str(provider)]
        pipe = subprocess.PIPE
        made = cls(subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True))
        if made._ask("ready?") != "yes":
            raise RuntimeError("workers do not start: their own words are above")
        return made

    def start(self, order: Order) -> int:
        """The process id of a new worker."""
        return int(self._ask(json.dumps(asdict(order))))

    def ended(self, worker: int) -> int | None:
        """How a worker ended: its exit code, or the negative number of a signal. None: it is at work."""
        answer = self._ask(f"poll {worker}")
        return None if answer == "-" else int(answer)

    def wait(self, worker: int) -> int:
        return int(self._ask(f"wait {worker}"))

    def until_stopped(self, worker: int) -> None:
        """Wait until a worker stands still."""
        while True:
            state = Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[0]
            if state == "T":
                return
            if self.ended(worker) is not None:
                raise RuntimeError("it ended before it came to its point")
            time.sleep(0.01)

    def close(self) -> None:
        self.process.communicate()

    def _ask(self, line: str) -> str:
        assert self.process.stdin is not None and self.process.stdout is not None
        print(line, file=self.process.stdin, flush=True)
        return self.process.stdout.readline().strip()


def main() -> None:
    project, provider = open_project(Path(sys.argv[1])), int(sys.argv[2])
    assert project.compiled.ok, project.compiled.problems
    project.templates.describe()
    project.engine.dispose()
    ends: dict[int, int] = {}
    started: list[int] = []
    for line in sys.stdin:
        match line.split():
            case ["ready?"]:
                print("yes", flush=True)
            case ["wait" | "poll" as how, id]:
                worker = int(id)
                if worker not in ends:
                    found, status = os.waitpid(worker, 0 if how == "wait" else os.WNOHANG)
                    if found:
                        ends[worker] = os.waitstatus_to_exitcode(status)
                print(ends.get(worker, "-"), flush=True)
            case _:
                started.append(_fork(project, provider, Order(**json.loads(line))))
                print(started[-1], flush=True)
    for worker in started:
        if worker not in ends:
            os.kill(worker, signal.SIGKILL)


def _fork(project: Project, provider: int, order: Order) -> int:
    if worker := os.fork():
        return worker
    code = 1
    try:
        work(project, provider, order)
        code = 0
    except DBAPIError:
        code = STORE_GONE
        if not order.losing:
            traceback.print_exc()
    except BaseException:
        # Whatever it is, this process must not go on as its parent.
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
