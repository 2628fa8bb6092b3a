"""Kill workers at random moments and at named points, and count at the provider.

`python -m tests.faults.kill_loop --kills 200` runs two workers side by side on one store and kills them (SIGKILL), half
of them after a random time, the others by themselves at one of the points of `tests.faults.points`; when one finds
nothing more to do the next day begins. With `--postgresql` the store is a server of its own, and with `--crashes 10`
that is stopped at once as many times. What was sent is read from the provider's own log, which is on the disk before it
answers, and what should have been sent from the number of people and of days; the ledger is asked only for what it
calls unknown, and whether it is sound.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sqlalchemy import Engine, select

from store.schema import outbox, profiles
from tests.faults import journey, postgres
from tests.faults.invariants import violations
from tests.faults.points import AFTER_COMMIT, BEFORE_COMMIT, KILLS
from tests.faults.worker import ROOT, STORE_GONE, Order, Workers

ROUNDS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    kills: int
    by_point: dict[str, int]
    """Where they were killed; `random` for those killed at any moment."""
    crashes: int
    """How often the store itself was stopped at once."""
    expected: int
    """Messages that were due: what would have been sent without any kill."""
    sent: int
    """Messages in the provider's log."""
    duplicates: int
    """Messages in the log beyond those that were due to the same person with the same subject, or of the same id."""
    lost: int
    """Neither in the log nor reported as unknown."""
    unknown: int
    """Reported as unknown. Some of them did arrive."""
    unknown_arrived: int
    unexplained: int
    """Reported as unknown, and their sender was neither killed nor lost its store."""
    records: int
    records_wrong: int
    """Records twice, or not there."""
    violations: int
    """Breaches of what must hold in the store (`tests.faults.invariants`)."""
    seconds: float

    @property
    def sound(self) -> bool:
        """Nobody twice, nobody forgotten, nothing in doubt without a reason."""
        return not (self.duplicates or self.lost or self.unexplained or self.records_wrong or self.violations)


@dataclass(slots=True, kw_only=True)
class _Loop:
    workers: Workers
    chance: random.Random
    longest: float
    careless: bool
    crashing: bool
    """The store is stopped now and then: only then may a worker lose it."""
    day: int = 0
    running: dict[int, str] = field(default_factory=dict)
    """Process ids, and at which point each is to die."""
    killed: Counter[str] = field(default_factory=Counter)
    interrupted: set[int] = field(default_factory=set)
    """Process ids of the killed, and of those whose store went away."""

    def start(self) -> None:
        point = self.chance.choice((*KILLS, *["random"] * len(KILLS)))
        at = () if point == "random" else (point,)
        # Commits are few and spread over the whole tick; of messages there are many.
        most = 40 if point in (BEFORE_COMMIT, AFTER_COMMIT) else 4 if point == "connected" else 150
        nth = 1 + int(most * self.chance.random() ** 2)
        order = Order(day=self.day, at=at, nth=nth, act="kill", careless=self.careless, losing=self.crashing)
        self.running[self.workers.start(order)] = point

    def look(self, worker: int) -> bool:
        """Note how a worker ended, if it has. True: it found nothing more to do."""
        code = self.workers.ended(worker)
        if code is None:
            return False
        point = self.running.pop(worker)
        if code == -signal.SIGKILL:
            self.killed[point] += 1
        if code == -signal.SIGKILL or (code == STORE_GONE and self.crashing):
            self.interrupted.add(worker)
        elif code != 0:
            raise RuntimeError(f"a worker failed by itself: {code}")
        return code == 0

    def strike(self) -> None:
        """Kill one of those that are to die at any moment."""
        victims = [worker for worker, point in self.running.items() if point == "random"]
        if victims:
            victim = self.chance.choice(victims)
            os.kill(victim, signal.SIGKILL)
            self.workers.wait(victim)

    def next_day(self) -> None:
        self.finish()
        self.day += 1

    def finish(self) -> None:
        """End the day undisturbed."""
        for worker in list(self.running):
            self.workers.wait(worker)
            self.look(worker)
        assert self.workers.wait(self.workers.start(Order(day=self.day, careless=self.careless))) == 0


def run(
    folder: Path,
    *,
    store: str,
    kills: int,
    count: int,
    chance: random.Random,
    longest: float,
    careless: bool = False,
    crash: Callable[[], None] | None = None,
    crashes: int = 0,
) -> Figures:
    """`store` is the URL of an empty database; `folder` takes the project and the log. `longest` seconds does a worker
    live that is killed at any moment. `crash` stops the store at once and starts it again."""
    log = folder / "provider.log"
    project = journey.make(folder, rounds=ROUNDS, store=store)
    journey.fill(project.engine, count=count, days=ROUNDS)
    project.engine.dispose()
    started = time.monotonic()
    provider = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.provider", str(log)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert provider.stdout is not None
    workers = Workers.of(project, int(provider.stdout.readline()))
    loop = _Loop(workers=workers, chance=chance, longest=longest, careless=careless, crashing=crashes > 0)
    left = crashes
    try:
        while (done := loop.killed.total()) < kills or left:
            while len(loop.running) < 2:
                loop.start()
            time.sleep(chance.uniform(0, longest))
            if left and done >= kills * (crashes - left) / crashes:
                assert crash is not None
                crash()
                left -= 1
            loop.strike()
            over = [loop.look(worker) for worker in list(loop.running)]
            if any(over):
                if loop.day + 1 == ROUNDS:
                    raise RuntimeError("workers finish before they are killed: more people, or a shorter time to live")
                loop.next_day()
        loop.finish()
        # What the provider's side put off for some minutes.
        assert workers.wait(workers.start(Order(day=loop.day, hours=1, careless=careless))) == 0
    finally:
        workers.close()
        provider.kill()
        provider.wait()
    found = _figures(project.engine, folder, loop, count, crashes, time.monotonic() - started)
    project.engine.dispose()
    return found


def _figures(engine: Engine, folder: Path, loop: _Loop, count: int, crashes: int, seconds: float) -> Figures:
    lines = [line.split() for line in (folder / "provider.log").read_text().splitlines()]
    sent = Counter((address, subject) for _, address, subject in lines)
    again = len(lines) - len({key for key, _, _ in lines})
    due = journey.due(count, ROUNDS, loop.day)
    with engine.connect() as connection:
        rows = connection.execute(
            select(profiles.c.email, *outbox.c["template", "owner", "reason"])
            .join(outbox, outbox.c.profile_id == profiles.c.id)
            .where(outbox.c.state.in_(("unknown", "assumed_sent")))
        ).all()
        breaches = violations(connection)
    for breach in breaches[:10]:
        print(breach, file=sys.stderr)
    unknown = Counter((row.email, row.template) for row in rows)
    owners = {row.owner: int(row.owner.split(":")[-2]) for row in rows if row.owner}
    explained = [row for row in rows if owners.get(row.owner) in loop.interrupted and row.reason == "interrupted"]
    records = Counter(json.loads(path.read_text())["key"] for path in (folder / "outbox/crm").glob("*/*.json"))
    wanted = journey.tasks(count, ROUNDS, loop.day)
    return Figures(
        kills=loop.killed.total(), by_point=dict(sorted(loop.killed.items())), crashes=crashes, expected=due.total(),
        sent=len(lines), duplicates=max(again, (sent - due).total()), lost=(due - sent - unknown).total(),
        unknown=len(rows), unknown_arrived=(unknown & sent).total(), unexplained=len(rows) - len(explained),
        records=wanted, records_wrong=abs(wanted - len(records)) + records.total() - len(records),
        violations=len(breaches), seconds=round(seconds, 1),
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--longest", type=float, default=1.0, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgresql", action="store_true", help="on a server of its own, not on SQLite")
    parser.add_argument("--crashes", type=int, default=0, help="stop that server at once so many times")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(postgres.server()) if given.postgresql else None
        figures = run(
            folder, store=server.database() if server else f"sqlite:///{folder / 'winback.db'}", kills=given.kills,
            count=given.people, chance=random.Random(given.seed), longest=given.longest,
            crash=server.crash if server else None, crashes=given.crashes if server else 0,
        )  # fmt: skip
    print(json.dumps(asdict(figures), indent=2))
    sys.exit(0 if figures.sound else 1)


if __name__ == "__main__":
    main()
