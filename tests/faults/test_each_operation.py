"""Whatever fails, the next run puts it right. All of it: `python -m tests.faults.each_operation`."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from dsl.delivery import Message
from ledger.settle import settle
from tests.faults.database import watch
from tests.faults.each_operation import run
from tests.faults.points import AFTER_COMMIT, BEFORE_COMMIT, STATEMENT, Points, fail
from tests.ledger.shop import NOON, Provider, messages, queue, send_due


def test_an_operation_that_fails_neither_repeats_nor_loses(store: str, tmp_path: Path) -> None:
    """Every so-manieth of the journey's: other ones on each store."""
    first, every = (2, 53) if store.startswith("sqlite") else (17, 97)
    figures = run(tmp_path, store=store, every=every, first=first, days=3)
    assert figures.failures.total() > 5 and figures.operations > 300, figures
    assert figures.sound, figures


@pytest.mark.parametrize("point", [STATEMENT, BEFORE_COMMIT, AFTER_COMMIT])
def test_nothing_is_in_doubt_that_the_process_knows(engine: Engine, point: str) -> None:
    """Each statement and each commit of a delivery fails once. The process lives: what it has sent and heard of it is
    written down all the same, and what it has not sent is free at once."""
    points = Points(at=frozenset({point}), act=fail)
    watch(engine, points)
    later = datetime.now(UTC) + timedelta(minutes=5)
    failed = 0
    while True:
        points.nth = 0
        queue(engine, 5)
        provider = Provider()
        points.passed.clear()
        points.nth, points.met = failed + 1, None
        # The tick ends; the next one goes on.
        with suppress(DBAPIError):
            asyncio.run(send_due(engine, provider, NOON, chunk=2))
        points.nth = 0
        assert {state for state, _ in messages(engine)} <= {"planned", "claimed", "accepted"}, (failed, points.met)
        settle(engine, playbook="carts", as_of=NOON, wall=later)
        asyncio.run(send_due(engine, provider, NOON))
        assert {state for state, _ in messages(engine)} == {"accepted"}
        assert len(provider.addresses) == provider.addresses.total() == 5
        if points.met is None:
            break
        failed += 1
    assert failed > 3


def test_who_slept_beyond_his_lease_sends_nothing_any_more(engine: Engine) -> None:
    """He had marked his messages, and others may have decided about them since: they go back to the queue."""
    queue(engine, 3)
    now = datetime.now(UTC)
    looks = iter([now, now])
    provider = Provider()
    asyncio.run(send_due(engine, provider, NOON, limit=3, wall=lambda: next(looks, now + timedelta(hours=1))))
    assert provider.taken == [] and messages(engine) == {("planned", None): 3}
    asyncio.run(send_due(engine, provider, NOON))
    assert set(provider.addresses.values()) == {1} and len(provider.taken) == 3


def test_a_store_that_fails_while_a_message_is_made_does_not_fail_the_message(engine: Engine) -> None:
    queue(engine, 1)

    def failing(_jobs: object) -> list[Message]:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    with pytest.raises(OperationalError):
        asyncio.run(send_due(engine, Provider(), NOON, render=failing))
    assert {state for state, _ in messages(engine)} == {"planned"}
