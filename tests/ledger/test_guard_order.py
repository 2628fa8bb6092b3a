"""The order of the guards: of two that object to a message, the first is the recorded reason."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from pathlib import Path

import pytest
from sqlalchemy import Engine

from dsl.plan import Limit, Policy
from ledger.guardrails import Candidate, Delay, Go, Rules, Skip, Surroundings, judge
from store.clock import micros
from store.engine import write
from tests.ledger.shop import NOON, enter, go_on, mail, messages, people, plan

ROOT = Path(__file__).parents[2]
FINE = Candidate(
    id=1, enrollment_id=1, profile_id=1, playbook="carts", digest="d", step="first", occurrence=0, channel="email",
    template="first", expires_at=micros(NOON + timedelta(hours=24)), attempts=0, event=None, wanted=True,
    address="a@example.com", address_hash="aa", time_zone=None, known=True, suppressed=None,
)  # fmt: skip
Case = tuple[Candidate, dict[tuple[int, str], bool], dict[int, list[int]], dict[tuple[str, str, str], int], bool]
"""A candidate, consents, slots, addresses, and whether it is quiet."""
Objection = Callable[[Case], Case]

ORDER: dict[str, Objection] = {
    "nobody": lambda c: (replace(c[0], known=False), *c[1:]),
    "late": lambda c: (replace(c[0], expires_at=micros(NOON) - 1), *c[1:]),
    "no_consent": lambda c: (c[0], {(1, "marketing"): False}, *c[2:]),
    "suppressed": lambda c: (replace(c[0], suppressed="hard_bounce"), *c[1:]),
    "no_address": lambda c: (replace(c[0], address=None), *c[1:]),
    "quiet_hours": lambda c: (*c[:4], True),
    "frequency_cap": lambda c: (c[0], c[1], {1: [micros(NOON) - 1]}, c[3], c[4]),
    "duplicate_address": lambda c: (*c[:3], {("aa", "carts", "first"): 2}, c[4]),
    "left": lambda c: (replace(c[0], wanted=False), *c[1:]),
}
"""Each guard with something it objects to, in the order in which they are asked."""
OF_LAW = ("suppressed", "no_address", "left", "late", "nobody")
"""What holds for transactional messages, too."""


def asked(*objections: str, topic: str = "marketing") -> Go | Skip | Delay:
    case: Case = (FINE, {(1, "marketing"): True}, {}, {}, False)
    for name in objections:
        case = ORDER[name](case)
    candidate, consents, slots, addresses, quiet = case
    rules = Rules(
        zone="UTC", topics={"first": topic},
        policy=Policy(
            limits=(Limit(channel="email", count=1, seconds=3600),), quiet_hours=("11:00", "13:00") if quiet else None
        ),
    )  # fmt: skip
    return judge(candidate, Surroundings(consents=consents, slots=slots, addresses=addresses), rules, NOON)


def reason(ruling: Go | Skip | Delay) -> str | None:
    return None if isinstance(ruling, Go) else ruling.reason


def test_without_an_objection_it_goes() -> None:
    assert asked() == Go(slot=True)


@pytest.mark.parametrize("name", ORDER)
def test_each_guard_objects_by_itself(name: str) -> None:
    assert reason(asked(name)) == name


@pytest.mark.parametrize(("first", "second"), combinations(ORDER, 2))
def test_of_two_objections_the_first_is_recorded(first: str, second: str) -> None:
    assert reason(asked(second, first)) == first == reason(asked(first, second))


@pytest.mark.parametrize("name", ORDER)
def test_transactional_messages_pass_what_is_about_marketing_only(name: str) -> None:
    ruling = asked(name, topic="transactional")
    assert ruling == Go(slot=False) if name not in OF_LAW else reason(ruling) == name


def test_four_processes_keep_one_cap(engine: Engine) -> None:
    """Eight playbooks want the same people; the slot of a message is taken before it is sent."""
    with write(engine) as connection:
        people(connection, 60)
    names = [f"p{n}" for n in range(8)]
    for name in names:
        each = plan(mail("first"), name=name)
        enter(engine, each, NOON)
        go_on(engine, each, NOON)
    url = engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.ledger.sender", url, "3"]
    started = [
        subprocess.Popen([*command, *names[n : n + 2]], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for n in range(0, 8, 2)
    ]
    sent = [line for process in started for line in process.communicate(timeout=120)[0].split()]
    assert [process.returncode for process in started] == [0] * 4
    assert sorted(sent) == sorted([str(person) for person in range(1, 61)] * 3), "three each, whoever sent them"
    assert messages(engine) == {("accepted", None): 180, ("skipped", "frequency_cap"): 300}
