"""The states of a message, from queued to settled."""

import asyncio
import random
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select, true

from dsl.delivery import Outcome, Verdict
from ledger import outbox as states
from ledger.channel import Job, Unrenderable
from ledger.deliver import backoff
from ledger.leave import leave
from ledger.report import counts, outbox_rows, resolve
from ledger.settle import settle
from store.addresses import address_hash
from store.clock import instant
from store.engine import write
from store.schema import outbox, profiles, suppressions
from tests.ledger.shop import (
    HOUR,
    NOON,
    ONE,
    Provider,
    always,
    deliver_now,
    inside,
    messages,
    queue,
    refused,
    render,
)


# ── Outcomes ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_everybody_is_sent_one_message_in_chunks(engine: Engine) -> None:
    provider = Provider()
    queue(engine, 425)
    done = deliver_now(engine, provider)
    assert done.sent == 425 and set(provider.addresses.values()) == {1}
    assert max(provider.calls) == 10
    assert deliver_now(engine, provider).sent == 0


def test_a_dead_address_fails_and_is_suppressed(engine: Engine) -> None:
    (person,) = queue(engine)
    done = deliver_now(
        engine, Provider(always(Verdict.REJECTED, reason="mailbox_unknown", detail="550", suppress=True))
    )
    assert done.failed == {"mailbox_unknown": 1}
    with engine.connect() as connection:
        row = connection.execute(select(suppressions)).one()
        sent = connection.execute(select(outbox)).one()
    assert (row.channel, row.address_hash, row.reason) == (
        "email", address_hash(f"p{person}@example.com", b"key"), "hard_bounce",
    )  # fmt: skip
    assert (sent.state, sent.reason, sent.detail, sent.slot_at) == ("failed", "mailbox_unknown", "550", None)


def test_what_is_deferred_comes_again_later_and_later_and_fails_at_last(engine: Engine) -> None:
    provider, now, tries = Provider(always(Verdict.DEFERRED, reason="mailbox_busy")), NOON, []
    queue(engine)
    while messages(engine)["planned", "mailbox_busy"] or not tries:
        tries.append(now)
        done = deliver_now(engine, provider, now)
        assert done.delayed.total() + done.failed.total() == 1
        with engine.connect() as connection:
            row = connection.execute(select(outbox.c.due_at, outbox.c.state)).one()
        if row.state == "planned":
            assert deliver_now(engine, provider, now).delayed.total() == 0, "not before its time"
            now = instant(row.due_at)
    assert messages(engine) == {("failed", "mailbox_busy"): 1}
    pauses = [(b - a) / timedelta(minutes=2**i) for i, (a, b) in enumerate(pairwise(tries), 1)]
    assert len(pauses) == 7 and all(0.75 <= pause <= 1.25 for pause in pauses)


def test_backoff_ends_at_six_hours() -> None:
    assert backoff(40, random.Random(1)) <= timedelta(hours=7.5)


def test_a_server_that_is_down_delays_everybody_and_fails_nobody(engine: Engine) -> None:
    queue(engine, 50)
    down = Provider(always(Verdict.DEFERRED, reason="connection_refused"))
    first, second, *others = [deliver_now(engine, down) for _ in range(20)]
    assert (first.stopped, first.failed.total(), first.delayed.total()) == ("connection_refused", 0, 10)
    assert (second.stopped, second.delayed.total()) == ("connection_refused", 1)
    assert {(each.stopped, each.delayed.total()) for each in others} == {("circuit_open", 0)}
    assert down.calls == [10, 1], "a chunk, then one message to try, then nobody knocks for a while"
    assert messages(engine).total() == 50
    later = NOON + timedelta(seconds=30)
    assert deliver_now(engine, down, later).stopped == "connection_refused" and down.calls == [10, 1, 1]
    assert deliver_now(engine, Provider(), later + timedelta(seconds=59)).stopped == "circuit_open"
    well = Provider()
    assert deliver_now(engine, well, later + timedelta(seconds=60)).sent == 50
    assert well.calls[:2] == [1, 10], "one to try, and then as ever"


def test_what_the_connector_says_of_trouble_is_handed_on(engine: Engine) -> None:
    queue(engine, 20)
    told = "Nothing listens at 127.0.0.1:1."
    assert (
        deliver_now(engine, Provider(always(Verdict.DEFERRED, reason="connection_refused", detail=told))).trouble
        == told
    )


def test_when_half_of_a_chunk_gets_no_answer_the_rest_is_kept(engine: Engine) -> None:
    ids = queue(engine, 30)
    answered = {f"p{id}@example.com" for id in ids[:5]}
    taken = lambda m: Outcome(key=m.key, verdict=Verdict.ACCEPTED) if m.address in answered else None  # noqa: E731
    done = deliver_now(engine, Provider(taken))
    assert (done.sent, done.unknown, done.stopped) == (5, 5, "no_answer")


def test_a_message_that_breaks_the_connection_does_not_hold_up_the_others_for_ever(engine: Engine) -> None:
    ids = queue(engine, 40)

    def breaks(message: Any) -> Outcome:
        poison = message.address == f"p{ids[0]}@example.com"
        verdict, reason = (Verdict.DEFERRED, "connection_lost") if poison else (Verdict.ACCEPTED, "")
        return Outcome(key=message.key, verdict=verdict, reason=reason)

    first = deliver_now(engine, Provider(breaks))
    second = deliver_now(engine, Provider(breaks), NOON + timedelta(minutes=15))
    assert first.sent + second.sent == 39
    assert messages(engine)["planned", "connection_lost"] == 1


def test_a_throttled_channel_pauses_for_all_processes(engine: Engine) -> None:
    queue(engine, 30)
    provider = Provider(always(Verdict.THROTTLED, reason="too_many", retry_after=timedelta(minutes=10)))
    assert deliver_now(engine, provider).stopped == "throttled"
    free = Provider()
    assert deliver_now(engine, free, NOON + timedelta(minutes=9)).stopped == "throttled"
    assert free.calls == []
    assert deliver_now(engine, free, NOON + timedelta(minutes=10)).sent == 30


def test_no_answer_is_unknown_and_is_not_sent_again(engine: Engine) -> None:
    queue(engine, 30)
    provider = Provider(lambda _message: None)
    done = deliver_now(engine, provider)
    assert (done.unknown, done.stopped) == (10, "no_answer"), "and it does not go on to burn the rest"
    assert deliver_now(engine, Provider()).sent == 20
    settle(engine, playbook="carts", as_of=NOON + 23 * HOUR, wall=datetime.now(UTC))
    assert messages(engine)["unknown", "no_answer"] == 10
    settled = settle(engine, playbook="carts", as_of=NOON + 24 * HOUR, wall=datetime.now(UTC))
    assert settled.assumed_sent == 10
    assert deliver_now(engine, Provider(), NOON + 24 * HOUR).sent == 0


@pytest.mark.parametrize("error", [RuntimeError("boom"), asyncio.CancelledError()])
def test_an_exception_in_the_middle_leaves_doubt_only_where_it_is(engine: Engine, error: BaseException) -> None:
    queue(engine, 30)

    def fail_at_third(message: Any) -> Outcome:
        if len(provider.taken) == 12:
            raise error
        return Outcome(key=message.key, verdict=Verdict.ACCEPTED)

    provider = Provider(fail_at_third)
    with pytest.raises(type(error)):
        deliver_now(engine, provider)
    assert messages(engine) == {("accepted", None): 12, ("unknown", "interrupted"): 8, ("planned", None): 10}
    assert deliver_now(engine, Provider()).sent == 10


def test_a_message_that_cannot_be_rendered_does_not_hold_up_the_others(engine: Engine) -> None:
    ids = queue(engine, 20)

    def broken(jobs: Sequence[Job]) -> list[Any]:
        if any(job.profile_id == ids[3] for job in jobs):
            raise ZeroDivisionError
        return [Unrenderable(detail="no items") if j.profile_id == ids[5] else render([j])[0] for j in jobs]

    done = deliver_now(engine, Provider(), render=broken)
    assert (done.sent, done.failed) == (18, {"render_error": 2})
    with engine.connect() as connection:
        details = {entry.profile_id: entry.detail for entry in outbox_rows(connection, reason="render_error")}
    assert details == {ids[3]: "ZeroDivisionError", ids[5]: "no items"}


def test_a_limit_stops_in_time(engine: Engine) -> None:
    queue(engine, 30)
    provider = Provider()
    assert deliver_now(engine, provider, limit=7).sent == 7
    assert messages(engine) == {("accepted", None): 7, ("planned", None): 23}


# ── Fencing and settling ──────────────────────────────────────────────────────────────────────────────────────────────
def claim(connection: Connection, token: str, owner: str, lease_until: datetime, mark: bool = True) -> list[int]:
    ids = [id for id, _ in states.due(connection, playbook="carts", channel="email", step=None, as_of=NOON, limit=9)]
    states.claim(
        connection, ids, slots=ids, token=token, owner=owner, lease_until=lease_until, address_field="email", as_of=NOON
    )
    if mark:
        states.mark_sending(connection, ids, token, lease_until, NOON)
    return ids


def test_a_late_write_changes_nothing(engine: Engine) -> None:
    wall = datetime.now(UTC)
    queue(engine)
    with write(engine) as connection:
        (id,) = claim(connection, "slow", "elsewhere", wall, mark=False)
    settled = settle(engine, playbook="carts", as_of=NOON, wall=wall + timedelta(seconds=1))
    assert settled.freed == 1
    with write(engine) as connection:
        assert claim(connection, "quick", "elsewhere", wall + timedelta(seconds=60)) == [id]
    with write(engine) as connection:
        assert states.mark_sending(connection, [id], "slow", wall, NOON) == set()
        answer = Outcome(key="", verdict=Verdict.ACCEPTED)
        assert states.accepted(connection, {id: answer}, "slow", NOON) == 0
        assert states.rejected(connection, id, "slow", answer, NOON) == 0
        assert states.deferred(connection, id, "slow", answer, attempts=1, due_at=NOON) == 0
        assert states.unknown(connection, id, "slow", answer, NOON) == 0
        assert states.poisoned(connection, id, "slow", "", NOON) == 0
        assert states.release(connection, [id], "slow") == 0
        assert connection.scalar(select(outbox.c.state)) == "sending"
        assert states.accepted(connection, {id: answer}, "quick", NOON) == 1


def test_sending_with_a_dead_owner_becomes_unknown_at_once_and_claimed_is_free(engine: Engine) -> None:
    wall = datetime.now(UTC)
    queue(engine, 2)
    with write(engine) as connection:
        first, second = claim(connection, "t", "gone", wall + HOUR, mark=False)
        states.mark_sending(connection, [first], "t", wall + HOUR, NOON)
    assert settle(engine, playbook="carts", as_of=NOON, wall=wall).freed == 0, "elsewhere it may be alive"
    settled = settle(engine, playbook="carts", as_of=NOON, wall=wall, dead=lambda owner: owner == "gone")
    assert (settled.freed, settled.interrupted) == (1, 1)
    assert messages(engine) == {("planned", None): 1, ("unknown", "interrupted"): 1}
    provider = Provider()
    assert deliver_now(engine, provider).sent == 1 and second != first


def test_a_belated_answer_of_the_sender_is_evidence(engine: Engine) -> None:
    wall = datetime.now(UTC)
    queue(engine)
    with write(engine) as connection:
        (id,) = claim(connection, "t", "elsewhere", wall)
    assert settle(engine, playbook="carts", as_of=NOON, wall=wall + HOUR).interrupted == 1
    with write(engine) as connection:
        assert states.accepted(connection, {id: Outcome(key="", verdict=Verdict.ACCEPTED)}, "t", NOON) == 1
    assert messages(engine) == {("accepted", None): 1}


def test_evidence_settles_what_is_unknown(engine: Engine) -> None:
    wall = datetime.now(UTC)
    queue(engine, 3)
    with write(engine) as connection:
        claim(connection, "t", "elsewhere", wall)
    asked: list[str] = []

    def look_up(keys: Sequence[str]) -> dict[str, bool]:
        asked.extend(keys)
        return {keys[0]: True, keys[1]: False}

    soon = settle(engine, playbook="carts", as_of=NOON, wall=wall + timedelta(minutes=5), evidence={"email": look_up})
    assert (soon.found_sent, soon.found_unsent) == (1, 0), "the sender may still be at it"
    asked.clear()
    later = settle(
        engine, playbook="carts", as_of=NOON, wall=wall + timedelta(minutes=11),
        evidence={"email": lambda keys: dict.fromkeys(keys[:1], False)},
    )  # fmt: skip
    assert (later.found_sent, later.found_unsent) == (0, 1)
    reasons = {"accepted": "evidence", "planned": "interrupted", "unknown": "interrupted"}
    assert messages(engine) == dict.fromkeys(reasons.items(), 1)


def test_a_repeatable_connector_sends_again(engine: Engine) -> None:
    wall = datetime.now(UTC)
    queue(engine)
    with write(engine) as connection:
        claim(connection, "t", "elsewhere", wall)
    settle(engine, playbook="carts", as_of=NOON, wall=wall + HOUR, repeatable=lambda _channel: True)
    assert deliver_now(engine, Provider()).sent == 1


@pytest.mark.parametrize("sent", [True, False])
def test_a_person_resolves_what_is_unknown(engine: Engine, sent: bool) -> None:
    queue(engine)
    deliver_now(engine, Provider(lambda _message: None))
    with write(engine) as connection:
        (entry,) = outbox_rows(connection, states=("unknown",))
        assert resolve(connection, entry.id, sent=sent, as_of=NOON)
        assert not resolve(connection, entry.id, sent=sent, as_of=NOON)
    assert deliver_now(engine, Provider()).sent == (0 if sent else 1)


def test_two_processes_at_once_send_each_message_once(engine: Engine) -> None:
    queue(engine, 600)
    providers = [Provider() for _ in range(3)]
    threads = [threading.Thread(target=deliver_now, args=(engine, provider)) for provider in providers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    together = sum((provider.addresses for provider in providers), start=Provider().addresses)
    assert len(together) == 600 and set(together.values()) == {1}


# ── Leaving ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_leaving_cancels_the_queue_also_when_the_journey_is_over(engine: Engine) -> None:
    a, b = queue(engine, 2)
    assert inside(engine) == {("done", None, "end"): 2}
    with write(engine) as connection:
        exits = [("on order_completed", profiles.c.id == a)]
        assert leave(connection, playbook="carts", digest=ONE.digest, exits=exits, as_of=NOON) == 1
    assert messages(engine) == {("cancelled", "on order_completed"): 1, ("planned", None): 1}
    provider = Provider()
    deliver_now(engine, provider)
    assert list(provider.addresses) == [f"p{b}@example.com"]


def test_who_buys_a_second_ago_is_asked_again_before_the_claim(engine: Engine) -> None:
    queue(engine, 30)

    def leaving(connection: Connection, among: Sequence[int]) -> None:
        exits = [("bought", profiles.c.id % 2 == 0)]
        leave(connection, playbook="carts", digest=ONE.digest, exits=exits, as_of=NOON, among=among)

    assert deliver_now(engine, Provider(), leaving=leaving).sent == 15
    assert messages(engine) == {("accepted", None): 15, ("cancelled", "bought"): 15}


def test_who_leaves_between_claim_and_send_is_sent_nothing(engine: Engine) -> None:
    queue(engine, 3)

    def render_and_leave(jobs: Sequence[Job]) -> list[Any]:
        with write(engine) as connection:
            leave(connection, playbook="carts", digest=ONE.digest, exits=[("bought", true())], as_of=NOON)
        return list(render(jobs))

    assert refused(engine, render=render_and_leave) == {"left": 3}
    assert messages(engine) == {("cancelled", "left"): 3}


def test_counts_tell_what_is_where(engine: Engine) -> None:
    queue(engine, 3)
    deliver_now(engine, Provider())
    with engine.connect() as connection:
        told = counts(connection, "carts")
    assert (told.entered, told.held_out, told.ended) == (3, 0, {("done", "end"): 3})
    assert told.messages == {("first", "accepted", ""): 3}
