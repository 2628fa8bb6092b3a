"""Each operation of a whole journey fails once.

`python -m tests.faults.each_operation` plays a journey of all kinds of steps with the first operation failing, then
with the second, and so on until nothing is left to fail: each statement, each commit (undone, or done and
unconfirmed), each step on the network. After the failure the day is played again undisturbed, and must end as a day
without failures does: the same people at the same places, each message once at the provider, by its own log. Each day
begins from a copy of the store as an undisturbed day before has left it, so that a failure costs a day and not the
journey.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Engine, create_engine, event, make_url, select, text
from sqlalchemy.exc import DBAPIError

from flows.project import Project
from flows.tick import tick
from store.engine import open_store
from store.schema import enrollments, memberships, outbox, profiles
from tests.faults import journey, postgres
from tests.faults.database import watch
from tests.faults.invariants import violations
from tests.faults.points import IN_BODY, OPERATIONS, TAKEN, Points, fail, nothing
from tests.faults.provider import Server
from tests.faults.relay import Relay

ROUNDS, DAYS, PEOPLE = 3, 5, 4
IN_DOUBT = (IN_BODY, TAKEN)
"""Where nobody can tell whether a message was taken."""


@dataclass(slots=True, kw_only=True)
class Figures:
    failures: Counter[str] = field(default_factory=Counter)
    """Operations that were made to fail, by their kind."""
    unknown: Counter[str] = field(default_factory=Counter)
    """Messages in doubt, by the kind of the operation that failed."""
    operations: int = 0
    """In the whole journey."""
    violations: list[str] = field(default_factory=list)
    seconds: float = 0

    def as_json(self) -> dict[str, Any]:
        """For people and for the records."""
        return {
            "operations": self.operations, "failures": self.failures.total(), "by_kind": dict(self.failures),
            "unknown": dict(self.unknown), "violations": self.violations, "seconds": self.seconds,
        }  # fmt: skip

    @property
    def sound(self) -> bool:
        """Nobody twice, nobody forgotten, and nothing in doubt that somebody knew."""
        return not self.violations and set(self.unknown) <= set(IN_DOUBT)


@dataclass(slots=True, kw_only=True)
class _Copies:
    """The state of a journey, to be gone back to: the store, the provider's log, and the files of records."""

    project: Project
    log: BinaryIO
    size: int = 0

    def keep(self) -> None:
        self.size = self.log.seek(0, 2)
        shutil.rmtree(self.project.folder / "kept", ignore_errors=True)
        with suppress(FileNotFoundError):
            shutil.copytree(self.project.folder / "outbox", self.project.folder / "kept")
        self._copy("store", "copy")

    def back(self) -> None:
        self.log.truncate(self.size)
        shutil.rmtree(self.project.folder / "outbox", ignore_errors=True)
        with suppress(FileNotFoundError):
            shutil.copytree(self.project.folder / "kept", self.project.folder / "outbox")
        self._copy("copy", "store")

    def _copy(self, source: str, to: str) -> None:
        url = make_url(self.project.store_url)
        if url.get_backend_name() == "sqlite":
            files = {"store": Path(url.database or ""), "copy": self.project.folder / "copy.db"}
            for suffix in ("-wal", "-shm"):
                files[to].with_name(files[to].name + suffix).unlink(missing_ok=True)
            shutil.copy(files[source], files[to])
            return
        names = {"store": url.database, "copy": f"{url.database}_copy"}
        admin = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {names[to]} WITH (FORCE)"))
            connection.execute(text(f"CREATE DATABASE {names[to]} TEMPLATE {names[source]}"))
        admin.dispose()


@dataclass(slots=True, kw_only=True)
class _Play:
    project: Project
    server: Server
    copies: _Copies
    figures: Figures
    every: int
    first: int

    def day(self, day: int) -> None:
        """Let each operation of a day fail, and then none."""
        counted = self._tick(day, Points(at=frozenset(OPERATIONS)))
        expected = self._found(day, Points(), set())
        self.copies.back()
        many = counted.passed.total()
        self.figures.operations += many
        n = 1 + (self.first - 1) % self.every
        while True:
            points = self._tick(day, Points(at=frozenset(OPERATIONS), nth=n, act=fail))
            if points.met is None and n > many:
                break
            # Some operations run side by side, so that a later one may not come at all after a failure.
            if points.met is not None:
                self.figures.failures[points.met] += 1
                self._tick(day, Points(), ahead=timedelta(minutes=5))
                self._tick(day, Points(), ahead=timedelta(minutes=5), hours=1)
                where = f"day {day}, operation {n} ({points.met})"
                found = self._found(day, points, expected)
                self.figures.violations += [f"{where}: {breach}" for breach in found if isinstance(breach, str)]
            self.copies.back()
            n += self.every
        # The clean one has been played: on to the next day.
        self._tick(day, Points())
        self.copies.keep()

    def _engine(self, points: Points) -> Engine:
        engine = open_store(self.project.store_url)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        watch(engine, points)
        return engine

    def _tick(self, day: int, points: Points, *, ahead: timedelta = timedelta(), hours: float = 0) -> Points:
        engine, relay = self._engine(points), Relay(self.server.port, points)
        world = replace(journey.at_work(self.project, relay.port, ahead=ahead), store=engine)
        try:
            for name in journey.PLAYBOOKS:
                tick(world, self.project.compiled.plans[name], as_of=journey.noon(day) + timedelta(hours=hours))
        except DBAPIError:
            if points.act is nothing:
                raise
        finally:
            relay.close()
            engine.dispose()
        return points

    def _found(self, day: int, points: Points, expected: set[Any]) -> set[Any]:
        """Without `expected`, how people stand; with it, what differs from that and what is wrong, in words."""
        engine = open_store(self.project.store_url)
        with engine.connect() as connection:
            columns = enrollments.c["playbook", "profile_id", "state", "step", "reason", "due_at", "entered_at"]
            stand: set[Any] = {tuple(row) for row in connection.execute(select(*columns))}
            stand |= {
                tuple(row) for row in connection.execute(select(*memberships.c["audience", "profile_id", "member"]))
            }
            stand |= {(row.id, str(row.custom)) for row in connection.execute(select(*profiles.c["id", "custom"]))}
            breaches = violations(connection)
            rows = connection.execute(
                select(*outbox.c["template", "state", "reason"], profiles.c.email).join(
                    profiles, profiles.c.id == outbox.c.profile_id
                )
            ).all()
        engine.dispose()
        stand |= journey.told(self.project.folder)
        if not expected:
            return stand
        lines = [line.split() for line in self._log().splitlines()]
        sent = Counter((address, subject) for _, address, subject in lines)
        due = journey.due(PEOPLE, ROUNDS, day)
        unknown = Counter((row.email, row.template) for row in rows if row.state in ("unknown", "assumed_sent"))
        if unknown:
            self.figures.unknown[points.met or ""] += unknown.total()
        breaches += [f"people stand differently: {each}" for each in stand ^ expected]
        breaches += [f"twice: {who}" for who in (sent - due).elements()]
        breaches += [f"forgotten: {who}" for who in (due - sent - unknown).elements()]
        breaches += [f"{row.state}: {row}" for row in rows if row.state not in ("accepted", "unknown", "assumed_sent")]
        keys = [json.loads(path.read_text())["key"] for path in (self.project.folder / "outbox/crm").glob("*/*.json")]
        if len(keys) != journey.tasks(PEOPLE, ROUNDS, day) or len(set(keys)) != len(keys):
            breaches.append(f"{len(keys)} records")
        return set(breaches)

    def _log(self) -> str:
        return Path(self.copies.log.name).read_text()


def run(folder: Path, *, store: str, every: int = 1, first: int = 1, days: int = DAYS) -> Figures:
    """`store` is the URL of an empty database. `every`: only each so-manieth operation fails, from the `first` on."""
    project = journey.make(folder, rounds=ROUNDS, store=store)
    journey.fill(project.engine, count=PEOPLE, days=DAYS)
    assert project.compiled.ok
    project.engine.dispose()
    figures, started = Figures(), time.monotonic()
    with (folder / "provider.log").open("ab") as log, Server(log) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        copies = _Copies(project=project, log=log)
        copies.keep()
        play = _Play(project=project, server=server, copies=copies, figures=figures, every=every, first=first)
        for day in range(days):
            play.day(day)
            print(f"day {day}: {figures.failures.total():,} failures so far", file=sys.stderr, flush=True)
        server.shutdown()
    figures.seconds = round(time.monotonic() - started, 1)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgresql", action="store_true", help="on a server of its own, not on SQLite")
    parser.add_argument("--every", type=int, default=1, help="only each so-manieth operation")
    parser.add_argument("--first", type=int, default=1)
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(postgres.server()) if given.postgresql else None
        store = server.database() if server else f"sqlite:///{folder / 'winback.db'}"
        figures = run(folder, store=store, every=given.every, first=given.first)
    print(json.dumps(figures.as_json(), indent=2))
    sys.exit(0 if figures.sound else 1)


if __name__ == "__main__":
    main()
