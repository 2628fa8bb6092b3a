"""The checker finds what it is there for: each kind of damage to a sound store is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.sql.dml import UpdateBase

from store.schema import assignments, enrollments, events, journal, memberships, outbox
from store.writing import OURS
from tests.faults import journey
from tests.faults.invariants import violations
from tests.faults.provider import Server
from tests.faults.worker import Order, work

FIRST = select(func.min(outbox.c.id)).scalar_subquery()
LIVE = select(func.min(enrollments.c.id)).where(enrollments.c.state == "active").scalar_subquery()
DAMAGES: dict[str, UpdateBase] = {
    "is not queued": delete(outbox).where(outbox.c.id == FIRST),
    "never come by": update(outbox).where(outbox.c.id == FIRST).values(step="no-such-step"),
    "which is not there": update(outbox).where(outbox.c.id == FIRST).values(enrollment_id=9999),
    "without owner": update(outbox).where(outbox.c.id == FIRST).values(state="sending"),
    "and settled": update(outbox).where(outbox.c.id == FIRST).values(state="planned"),
    "its journal leads to": delete(journal).where(journal.c.enrollment_id == LIVE),
    "inside, and nowhere": update(enrollments).where(enrollments.c.id == LIVE).values(due_at=None),
    "a pass is at work": update(enrollments).where(enrollments.c.id == LIVE).values(path=0),
    "is noted as None": delete(assignments),
    "nothing tells of what it wrote": delete(events).where(events.c.event_id.startswith(f"{OURS}:")),
    "in keen": update(memberships).values(member=True),
    "never came into other": delete(enrollments).where(enrollments.c.playbook == "other"),
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A store after three days of the journey."""
    folder = tmp_path_factory.mktemp("sound")
    project = journey.make(folder, rounds=4)
    journey.fill(project.engine, count=4, days=3)
    assert project.compiled.ok
    with Path(folder / "provider.log").open("ab") as log, Server(log) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        for day in range(3):
            work(project, server.port, Order(day=day))
        server.shutdown()
    with project.engine.connect() as connection:
        yield connection
    project.engine.dispose()


def test_a_sound_store_has_none(sound: Connection) -> None:
    assert violations(sound) == []


@pytest.mark.parametrize("words", DAMAGES)
def test_each_damage_is_told(sound: Connection, words: str) -> None:
    sound.rollback()
    assert sound.execute(DAMAGES[words]).rowcount
    assert any(words in breach for breach in violations(sound)), violations(sound)
    sound.rollback()
