"""Kill workers at random moments, and count at the provider.

`python -m tests.faults.kill_loop --kills 200` runs two workers side by side on one store, kills one of them (SIGKILL)
after a random time, starts another, and so on; at the end a worker finishes undisturbed. What was sent is read from the
provider's own log, which is on the disk before it answers, and what should have been sent from the number of people
and of steps; the ledger is asked only for what it calls unknown.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, select

from store.engine import open_store, write
from store.schema import metadata, outbox, profiles
from tests.faults.worker import PLAYBOOK
from tests.ledger.shop import people

ROOT = Path(__file__).parents[2]
LONGEST_SERIES = 60
"""Messages a person. When all of a day are sent, the next day begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    kills: int
    expected: int
    """People times messages that were due: what would have been sent without any kill."""
    sent: int
    """Different messages in the provider's log."""
    duplicates: int
    """Messages in the log beyond the first of the same person and step."""
    lost: int
    """Neither in the log nor reported as unknown."""
    unknown: int
    """Reported as unknown. Some of them did arrive."""
    unknown_arrived: int
    seconds: float


def run(
    engine: Engine,
    folder: Path,
    *,
    kills: int,
    count: int,
    chance: random.Random,
    longest: float,
    careless: bool = False,
) -> Figures:
    """`engine` is an empty store with its schema; `folder` takes the log. `longest` seconds does a worker live."""
    log = folder / "provider.log"
    with write(engine) as connection:
        people(connection, count)
    store = engine.url.render_as_string(hide_password=False)
    started = time.monotonic()
    provider = _python("tests.faults.provider", str(log))
    assert provider.stdout is not None
    port = provider.stdout.readline().strip()
    steps, killed, day = str(LONGEST_SERIES), 0, 0
    manner = ["careless"] if careless else []
    workers: list[subprocess.Popen[str]] = []
    try:
        while killed < kills:
            while len(workers) < 2:
                workers.append(_python("tests.faults.worker", store, port, steps, str(day), *manner))
                assert workers[-1].stdout is not None
                workers[-1].stdout.readline()
            time.sleep(chance.uniform(0, longest))
            victim = workers.pop(chance.randrange(2))
            if victim.poll() is None:
                victim.kill()
                killed += 1
            elif victim.returncode == 0:
                # It found nothing more to do: on to the next day, so that kills meet work.
                day += 1
                if day == LONGEST_SERIES:
                    raise RuntimeError("workers finish before they are killed: more people, or a shorter time to live")
            if victim.wait() not in (0, -9):
                raise RuntimeError(f"a worker failed by itself: {victim.returncode}")
        for worker in workers:
            worker.wait()
        assert _python("tests.faults.worker", store, port, steps, str(day), *manner).wait() == 0
    finally:
        for process in [*workers, provider]:
            process.kill()
            process.wait()
    return _figures(engine, log, killed, count, day, time.monotonic() - started)


def _figures(engine: Engine, log: Path, kills: int, count: int, day: int, seconds: float) -> Figures:
    lines = [line.split() for line in log.read_text().splitlines()]
    sent = Counter((address, step) for _, address, step in lines)
    keys = {key for key, _, _ in lines}
    with engine.connect() as connection:
        unknown = {
            (row.email, row.step)
            for row in connection.execute(
                select(profiles.c.email, outbox.c.step)
                .join(outbox, outbox.c.profile_id == profiles.c.id)
                .where(outbox.c.playbook == PLAYBOOK, outbox.c.state.in_(("unknown", "assumed_sent")))
            )
        }
    # A person whose first message is unknown goes on all the same: everybody is due a message each day.
    due = {(f"p{person}@example.com", f"m{step}") for person in range(1, count + 1) for step in range(day + 1)}
    assert set(sent) <= due, "somebody was sent what he was not due"
    assert len(keys) == len(sent), "one key a message"
    return Figures(
        kills=kills, expected=len(due), sent=len(sent), duplicates=sent.total() - len(sent),
        lost=len(due - set(sent) - unknown), unknown=len(unknown), unknown_arrived=len(unknown & set(sent)),
        seconds=round(seconds, 1),
    )  # fmt: skip


def _python(module: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--longest", type=float, default=1.0, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", help="URL of an empty store; default: SQLite in a temporary folder")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engine = open_store(given.store or f"sqlite:///{folder / 'winback.db'}")
        metadata.create_all(engine)
        figures = run(
            engine, folder, kills=given.kills, count=given.people, chance=random.Random(given.seed),
            longest=given.longest,
        )  # fmt: skip
        print(figures)
        sys.exit(1 if figures.duplicates or figures.lost else 0)


if __name__ == "__main__":
    main()
