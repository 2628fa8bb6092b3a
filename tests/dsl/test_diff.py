"""What an edit changes, line by line, and what it does to people inside."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl.compile import compile_sources
from dsl.diff import diff, edited, fate, render
from dsl.plan import Plan
from dsl.regions import START, entries
from tests.dsl.shop import shop

BOOK = """segment big when cart.total > $50

playbook cart:
  start on product_added
  enter once
  leave on order_completed
  leave when cart.count is 0
  wait 1 day
  if in segment big:
    send email cart:
      items = cart.items
      offer = "Free shipping"
  otherwise:
    send email hello
  wait 2 days
  send sms last_call
"""


def plan(text: str = BOOK, *edits: tuple[str, str]) -> Plan:
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    compiled = compile_sources({"a.playbook": text}, shop())
    assert compiled.ok, compiled.problems
    return compiled.plans["cart"]


def said(*edits: tuple[str, str], around: int = 0) -> list[str]:
    return list(render(diff(plan(), plan(BOOK, *edits)), around=around))


def test_what_is_not_edited_says_nothing() -> None:
    changes = diff(plan(), plan())
    assert not edited(changes) and render(changes) == ()
    assert [change.new for change in changes][:3] == [
        "start on product_added",
        "enter once",
        "leave on order_completed",
    ]
    assert {change.kind for change in changes} == {"same"}


def test_an_added_step_stands_in_its_place() -> None:
    assert said(("  wait 2 days\n", "  wait 2 days\n  send email hello\n"), around=1) == [
        "  …",
        "  wait 2 days",
        "+ send email hello",
        "  send sms last_call",
    ]


def test_a_removed_step() -> None:
    assert said(("  send sms last_call\n", "")) == ["  …", "- send sms last_call"]


def test_another_wait_is_another_step() -> None:
    assert said(("wait 2 days", "wait 3 days")) == ["  …", "- wait 2 days", "+ wait 3 days", "  …"]


def test_an_argument_shows_under_its_step_and_its_way() -> None:
    assert said(('offer = "Free shipping"', 'offer = "A gift"')) == [
        "  …",
        "  if in segment big",
        "    send email cart",
        "  …",
        '-     offer = "Free shipping"',
        '+     offer = "A gift"',
        "  …",
    ]


def test_a_segment_that_changed_shows_though_the_line_reads_the_same() -> None:
    assert said(("cart.total > $50", "cart.total > $80")) == [
        "  …",
        "~ if in segment big  (was: cart.total > $50; is: cart.total > $80)",
        "  …",
    ]


def test_settings_come_first() -> None:
    edits = (("enter once", "enter every time"), ("  leave when cart.count is 0\n", "  holdout 5%\n"))
    assert said(*edits) == [
        "  …",
        "- enter once",
        "+ enter every time",
        "  …",
        "- leave when cart.count is 0",
        "+ holdout 5%",
        "  …",
    ]


def test_a_step_that_changes_places_has_moved() -> None:
    swapped = ("  wait 2 days\n  send sms last_call\n", "  send sms last_call\n  wait 2 days\n")
    lines = said(swapped)
    assert [line for line in lines if line.startswith(("+", "-"))] == []
    assert len([line for line in lines if line.endswith("(moved)")]) == 1


def test_shares_and_measure_of_an_experiment() -> None:
    book = """playbook cart:
  start on product_added
  enter once
  experiment subject:
    measure order_completed within 7 days
    variant plain 50%:
      send email hello
    variant funny 50%:
      send email hello
"""
    new = book.replace("7 days", "14 days").replace("plain 50%", "plain 40%").replace("funny 50%", "funny 60%")
    assert list(render(diff(plan(book), plan(new)), around=0)) == [
        "  …",
        "  experiment subject",
        "-   measure order_completed within 7 days",
        "+   measure order_completed within 14 days",
        "-   variant plain 50%",
        "+   variant plain 40%",
        "  …",
        "-   variant funny 50%",
        "+   variant funny 60%",
        "  …",
    ]


@pytest.mark.parametrize(
    ("edit", "at", "expected"),
    [
        (("product_added", "product_viewed"), "if", "keep"),
        (('"Free shipping"', '"A gift"'), "if", "move"),
        (('"Free shipping"', '"A gift"'), "send:last_call", "keep"),
        (("  send sms last_call\n", "  wait 1 hour\n  send sms last_call\n"), "send:last_call", "keep"),
        (("  send sms last_call\n", "  send sms last_call\n  send email hello\n"), "send:last_call", "move"),
        (("  send sms last_call\n", "  send email hello\n"), "send:last_call", "gone"),
        (("  send sms last_call\n", ""), "wait:2-days", "gone"),
        (("  send sms last_call\n", "  send sms last_call\n  send email hello\n"), "wait:2-days", "move"),
        (("wait 2 days", "wait 3 days"), "wait:2-days", "keep"),
        (("wait 2 days", "wait 3 days"), START, "move"),
    ],
)
def test_what_becomes_of_people_inside(edit: tuple[str, str], at: str, expected: str) -> None:
    assert fate(plan(), plan(BOOK, edit), at) == expected


PIECES = (
    "send email hello",
    "send sms last_call",
    "wait 1 day",
    "wait 2 days",
    "wait until 10:00",
    "if cart.total > $50:\n    send email hello\n  otherwise:\n    wait 1 hour\n    send email offers",
    "if can receive sms:\n    send sms last_call",
    "experiment subject:\n    variant a 50%:\n      send email offers\n    variant b 50%:\n      wait 3 hours",
)
BOOKS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).filter(
    lambda pieces: sum(piece.startswith("experiment") for piece in pieces) < 2
)


def book(pieces: list[str]) -> Plan:
    return plan("\n  ".join(["playbook cart:", "start on product_added", "enter once", *pieces]) + "\n")


@settings(deadline=None, max_examples=40)
@given(BOOKS, BOOKS)
def test_both_playbooks_can_be_read_from_their_diff(before: list[str], now: list[str]) -> None:
    old, new = book(before), book(now)
    changes = diff(old, new)
    assert [c.new for c in changes if c.new is not None] == [c.new for c in diff(new, new)]
    assert sorted(c.old for c in changes if c.old is not None) == sorted(c.old or "" for c in diff(old, old))
    assert edited(changes) == (old != new)


@settings(deadline=None, max_examples=20)
@given(BOOKS)
def test_nobody_is_touched_by_no_edit(pieces: list[str]) -> None:
    made = book(pieces)
    assert {fate(made, made, at) for at in entries(made)} == {"keep"}
