"""Channels that are shared: circuit breakers and limits, as rows that all processes see."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Engine

from dsl.delivery import Message, Outcome, Verdict
from ledger import throttle
from ledger.throttle import Door, Rate
from store.engine import write
from tests.ledger.shop import HOUR, NOON, ONE, Provider, always, deliver_now, enter, go_on, messages, people, queue

ROOT = Path(__file__).parents[2]
SECOND = timedelta(seconds=1)
DOWN = always(Verdict.DEFERRED, reason="connection_refused")


def knock(engine: Engine, as_of: datetime = NOON) -> Door:
    with write(engine) as connection:
        return throttle.knock(connection, "email", as_of)[0]


def note(engine: Engine, connected: str, as_of: datetime = NOON) -> None:
    with write(engine) as connection:
        throttle.note(connection, "email", [each == "+" for each in connected], as_of)


# ── The circuit breaker ───────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("seen", "door"),
    [
        (["----"], Door.OPEN),
        (["-----"], Door.PROBE),
        (["--", "--", "-"], Door.PROBE),
        (["----", "+", "----"], Door.OPEN),
        (["----+----"], Door.OPEN),
        (["+-----"], Door.PROBE),
        (["-----+"], Door.OPEN),
        (["-----", "-"], Door.BROKEN),
        (["-----", "-", "+"], Door.OPEN),
    ],
)
def test_five_in_a_row_open_the_circuit_and_one_answer_shuts_it(engine: Engine, seen: list[str], door: Door) -> None:
    for each in seen:
        note(engine, each)
    assert knock(engine) is door


def test_it_stays_open_for_longer_each_time_and_never_for_longer_than_a_quarter_of_an_hour(engine: Engine) -> None:
    note(engine, "-----")
    now, pauses = NOON, []
    for _ in range(9):
        assert knock(engine, now) is Door.PROBE
        note(engine, "-", now)
        begun = now
        while knock(engine, now) is Door.BROKEN:
            now += 5 * SECOND
        pauses.append(now - begun)
    assert pauses[0] == 30 * SECOND and pauses[-1] == timedelta(minutes=15)
    assert all(b == min(2 * a, timedelta(minutes=15)) for a, b in pairwise(pauses))
    note(engine, "+", now)
    note(engine, "-----", now)
    assert knock(engine, now) is Door.PROBE, "after an answer it begins anew"


def test_only_one_process_tries(engine: Engine) -> None:
    """Four at once at a circuit that is half open: one message goes out to try, and three are turned away."""
    queue(engine, 40)
    note(engine, "------")
    later, gate, tried = NOON + HOUR, threading.Barrier(4), threading.Event()
    done = []

    def slow(message: Message) -> Outcome:
        tried.wait(20)
        return DOWN(message)

    def run() -> None:
        provider = Provider(slow)
        gate.wait()
        done.append((deliver_now(engine, provider, later).stopped, provider.calls))
        if len(done) == 3:
            tried.set()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [("circuit_open", [])] * 3 + [("connection_refused", [1])]
    assert messages(engine).total() == 40 and not [key for key in messages(engine) if key[0] != "planned"]


def test_a_probe_that_dies_is_followed_by_another(engine: Engine) -> None:
    queue(engine, 3)
    note(engine, "------")
    later = NOON + HOUR

    def killed(_message: Message) -> Outcome:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver_now(engine, Provider(killed), later)
    assert knock(engine, later + SECOND) is Door.BROKEN
    assert knock(engine, later + HOUR) is Door.PROBE


def test_a_message_that_the_guards_refuse_is_no_probe(engine: Engine) -> None:
    queue(engine, 5, email=None)
    queue(engine, 2)
    note(engine, "------")
    done = deliver_now(engine, Provider(), NOON + HOUR)
    assert (done.skipped, done.sent) == ({"no_address": 5}, 2)


def test_answers_about_a_message_do_not_open_it(engine: Engine) -> None:
    queue(engine, 30)
    deliver_now(engine, Provider(always(Verdict.DEFERRED, reason="mailbox_busy")))
    queue(engine, 30)
    deliver_now(engine, Provider(always(Verdict.REJECTED, reason="mailbox_unknown")))
    assert knock(engine) is Door.OPEN


def test_no_answers_open_it_and_what_was_in_doubt_stays_in_doubt(engine: Engine) -> None:
    queue(engine, 30)
    deliver_now(engine, Provider(lambda _: None))
    assert knock(engine) is Door.PROBE
    assert deliver_now(engine, Provider()).sent == 20
    assert messages(engine)["unknown", "no_answer"] == 10


def test_a_time_far_ahead_was_written_by_a_wrong_clock(engine: Engine) -> None:
    note(engine, "------", NOON + timedelta(days=400))
    assert knock(engine) is Door.PROBE


# ── Limits ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def place(engine: Engine, count: int, rate: Rate, wall: datetime, patience: timedelta = HOUR) -> timedelta | None:
    with write(engine) as connection:
        return throttle.reserve(connection, "email", count, rate, wall, patience)


def test_places_follow_one_another_at_the_rate(engine: Engine) -> None:
    rate = Rate(count=10, seconds=1)
    waits = [place(engine, 5, rate, NOON) for _ in range(4)]
    assert waits == [0 * SECOND, 0.4 * SECOND, 0.9 * SECOND, 1.4 * SECOND]
    assert place(engine, 5, rate, NOON + 1 * SECOND) == 0.9 * SECOND
    waits = [place(engine, 5, rate, NOON + HOUR) for _ in range(4)]
    assert waits == [0 * SECOND, 0.4 * SECOND, 0.9 * SECOND, 1.4 * SECOND], "an hour without messages is not saved up"


def test_whoever_would_wait_for_too_long_takes_no_place(engine: Engine) -> None:
    rate = Rate(count=6, seconds=60)
    assert place(engine, 1, rate, NOON, 5 * SECOND) == 0 * SECOND
    assert [place(engine, 1, rate, NOON, 5 * SECOND) for _ in range(3)] == [None] * 3
    assert place(engine, 1, rate, NOON + 6 * SECOND, 5 * SECOND) == 3.9 * SECOND


def test_a_clock_that_was_ahead_does_not_stop_everybody(engine: Engine) -> None:
    rate = Rate(count=10, seconds=1)
    place(engine, 5, rate, NOON + timedelta(days=9), 20 * SECOND)
    assert place(engine, 5, rate, NOON, 20 * SECOND) == 0 * SECOND


def test_what_is_above_the_limit_waits_for_the_next_run(engine: Engine) -> None:
    queue(engine, 5)
    clock = [NOON]
    slow = {"rate": Rate(count=2, seconds=3600), "wall": lambda: clock[0]}
    done = deliver_now(engine, Provider(), **slow)
    assert (done.sent, done.stopped, done.delayed.total()) == (1, "rate", 0)
    assert messages(engine) == {("accepted", None): 1, ("planned", None): 4}
    clock[0] += HOUR / 2
    assert deliver_now(engine, Provider(), **slow).sent == 1


def test_four_processes_keep_one_limit(engine: Engine) -> None:
    """Counted by what the provider saw, and when: never more than the limit, within 5 %."""
    many, rate = 1200, 300
    with write(engine) as connection:
        people(connection, many)
    enter(engine, ONE, NOON)
    go_on(engine, ONE, NOON)
    url = engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.ledger.sender", url, "rate", str(rate)]
    started = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    lines = [line.split() for each in started for line in each.communicate(timeout=120)[0].splitlines()]
    assert [process.returncode for process in started] == [0] * 4
    assert sorted(int(person) for person, _ in lines) == list(range(1, many + 1)), "everybody once"
    times = sorted(float(at) for _, at in lines)
    # The last chunk of each process may be handed over late, never early.
    assert times[-1] - times[0] >= (many - 40) / rate * 0.95
    assert messages(engine) == {("accepted", None): many}
    print(f"{many / (times[-1] - times[0]):.0f} a second of {rate}")
