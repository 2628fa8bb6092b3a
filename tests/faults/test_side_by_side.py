"""Several processes at work on one store, and one of them that sleeps longer than its lease."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.exc import DBAPIError

from flows.project import Project
from ledger.outbox import found_sent, found_unsent, lock_guards
from store.engine import open_store, write
from store.schema import outbox
from tests.faults import journey
from tests.faults.invariants import violations
from tests.faults.points import AFTER_COMMIT, CONNECTED, TAKEN
from tests.faults.postgres import new_database
from tests.faults.provider import Server
from tests.faults.worker import Order, Workers

PEOPLE = 40
LATER = 120.0
"""Seconds; beyond every lease."""

CAPPED = "policy:\n  limit email to 2 per 1 day\n" + "".join(
    f"""
playbook p{i}:
  start when cart.total > $5
  enter once
  send email m{i}
"""
    for i in range(4)
)


@contextmanager
def at_work(folder: Path, store: str, *, playbooks: str | None = None) -> Iterator[tuple[Project, Workers]]:
    """A project with people in it, a provider that writes to `provider.log`, and whence workers come."""
    project = journey.make(folder, rounds=4, store=store, playbooks=playbooks)
    journey.fill(project.engine, count=PEOPLE, days=4)
    project.engine.dispose()
    with (folder / "provider.log").open("ab") as log, Server(log) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        workers = Workers.of(project, server.port)
        try:
            yield project, workers
        finally:
            workers.close()
            server.shutdown()
            project.engine.dispose()


def taken(folder: Path) -> Counter[tuple[str, str]]:
    """How often the provider took a message, by address and subject."""
    lines = [line.split() for line in (folder / "provider.log").read_text().splitlines()]
    assert len({key for key, _, _ in lines}) == len(lines), "a message twice"
    return Counter((address, subject) for _, address, subject in lines)


def rows(engine: Engine) -> dict[int, Any]:
    with engine.connect() as connection:
        assert violations(connection) == []
        return {row.id: row for row in connection.execute(select(outbox))}


def states(engine: Engine) -> Counter[tuple[str, str | None]]:
    return Counter((row.state, row.reason) for row in rows(engine).values())


def together(workers: Workers, orders: list[Order]) -> None:
    assert [workers.wait(worker) for worker in [workers.start(order) for order in orders]] == [0] * len(orders)


def test_four_processes_on_the_same_people(store: str, tmp_path: Path) -> None:
    with at_work(tmp_path, store) as (project, workers):
        for day in range(3):
            # Half of them the other way round: who waits for whom must not become a circle.
            together(workers, [Order(day=day), Order(day=day, playbooks=journey.PLAYBOOKS[::-1])] * 2)
            together(workers, [Order(day=day)])
        assert taken(tmp_path) == journey.due(PEOPLE, 4, 2)
        assert set(states(project.engine)) == {("accepted", None)}


def test_four_processes_hold_a_cap(store: str, tmp_path: Path) -> None:
    """Four playbooks have a message for everybody at once, and two a day is the limit."""
    names = ("p0", "p1", "p2", "p3")
    with at_work(tmp_path, store, playbooks=CAPPED) as (project, workers):
        together(workers, [Order(day=0, playbooks=(*names[i:], *names[:i])) for i in range(4)])
        each = Counter(address for address, _ in taken(tmp_path))
        assert set(each.values()) == {2} and len(each) == PEOPLE
        many = 2 * PEOPLE
        assert states(project.engine) == {("accepted", None): many, ("skipped", "frequency_cap"): many}


@pytest.mark.parametrize(("point", "nth"), [(CONNECTED, 1), (AFTER_COMMIT, 14), (TAKEN, 10)])
def test_who_wakes_after_his_lease_repeats_nothing(store: str, tmp_path: Path, point: str, nth: int) -> None:
    """Another process has gone on in the meantime. What it wrote stays, and what the sleeper held alone it finishes."""
    with at_work(tmp_path, store) as (project, workers):
        sleeper = workers.start(Order(day=0, at=(point,), nth=nth, act="stop"))
        workers.until_stopped(sleeper)
        together(workers, [Order(day=0, ahead=LATER)])
        before = rows(project.engine)
        assert {row.state for row in before.values()} <= {"accepted", "unknown"}
        os.kill(sleeper, signal.SIGCONT)
        assert workers.wait(sleeper) == 0
        after = rows(project.engine)
        assert {id: after[id] for id in before if before[id].state == "accepted"} == {
            id: row for id, row in before.items() if row.state == "accepted"
        }
        # The belated answer of the one who sent is the best evidence there is.
        assert set(states(project.engine)) == {("accepted", None)}
        assert taken(tmp_path) == journey.due(PEOPLE, 4, 0)


def test_his_late_word_does_not_undo_what_was_decided(store: str, tmp_path: Path) -> None:
    """While he slept a person said of some of his messages that they had gone out, of others that they may again."""
    with at_work(tmp_path, store) as (project, workers):
        sleeper = workers.start(Order(day=0, at=(TAKEN,), nth=10, act="stop"))
        workers.until_stopped(sleeper)
        together(workers, [Order(day=0, ahead=LATER)])
        doubtful = [id for id, row in rows(project.engine).items() if row.state == "unknown"]
        assert len(doubtful) > 1
        with write(project.engine) as connection:
            found_sent(connection, doubtful[::2], "a person", journey.noon(0))
            found_unsent(connection, doubtful[1::2], "a person", journey.noon(0))
            # Nobody is to send them before we have looked.
            connection.execute(update(outbox).where(outbox.c.state == "planned").values(due_at=outbox.c.due_at + 1))
        before = rows(project.engine)
        os.kill(sleeper, signal.SIGCONT)
        assert workers.wait(sleeper) == 0
        assert rows(project.engine) == before


def test_who_stands_still_in_a_transaction_holds_up_nobody_for_ever(postgresql: str) -> None:
    """PostgreSQL ends the transaction: its locks are free, and whoever wakes has done nothing."""
    url = new_database(postgresql)
    asleep, other = open_store(url, idle_seconds=0.3), open_store(url)
    with pytest.raises(DBAPIError), write(asleep) as connection:
        lock_guards(connection)
        with write(other) as theirs:
            lock_guards(theirs)
        connection.execute(text("SELECT 1"))
    asleep.dispose()
    other.dispose()
