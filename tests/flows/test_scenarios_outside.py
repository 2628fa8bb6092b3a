"""Scenarios of steps that act outside, of stages, and of playbooks that enroll people in others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flows.stories import stories, told
from tests.flows.test_scenarios import GIVEN, OWN, fails, passes

SHOP = """
field referral.invited is yes_no

event order_delivered:
  total is money

lifecycle:
  negative_experience when has product_reviewed in the last 60 days where rating <= 2
  at_risk when orders.count >= 2
    and orders.last_at is more than 90 days ago
    and orders.last_at is in the last 180 days
  inactive when orders.last_at is more than 180 days ago
  prospect otherwise

audience lapsed on facebook:
  about "Nobody but a playbook adds people here."

playbook apologise:
  run every day at 09:00
  start when stage is negative_experience
  enter again after 90 days

  create ticket for support:
    title = "Please call"
  update contact:
    lifecycle_stage = "Negative experience"

playbook win_back:
  run every day at 09:00
  start when stage is one of at_risk, inactive
  enter again after 180 days
  leave on order_completed
  leave when stage is negative_experience

  send email hello
  wait for order_completed up to 5 days
  if stage is at_risk:
    send email offer
  otherwise:
    add to audience lapsed
    wait 1 day
    remove from audience lapsed
  wait 7 days
  if orders.value >= $1,000:
    create task for sales:
      title = "Call"

playbook review:
  run every 1 hour
  start on order_delivered where total >= $30
  enter again after 60 days
  goal product_reviewed within 21 days

  wait for product_reviewed up to 7 days
  if has product_reviewed since entry where rating >= 4:
    create credit for referral:
      amount = $10
    set referral.invited = yes
    if referral.invited is yes:
      send email bye
  otherwise if has product_reviewed since entry:
    enroll in apologise
  otherwise:
    send push nudge
"""
DELIVERED = ("given order_delivered 10 minutes ago:", "  total = $50")
MET = {
    "at risk by the calendar": (
        "win_back", "given orders.count = 2", "given orders.value = $1,200", "given order_completed 80 days ago",
        "expect enter 1 times after 11 days", "expect send email hello 1 times", "expect send email offer after 5 days",
        "expect create task after 12 days", "expect no add to audience lapsed",
    ),
    "inactive": (
        "win_back", "given stage = inactive", "expect add to audience lapsed 1 times after 5 days",
        "expect remove from audience lapsed after 6 days", "expect no create task",
    ),
    "a stage that turns": (
        "win_back", "given stage = inactive", "after 3 days set stage = negative_experience",
        "expect leave after 3 days", "expect no add to audience lapsed",
    ),
    "a wait that an event ends": (
        "review", *DELIVERED, "after 3 days product_reviewed:", "  rating = 5",
            "expect create credit 1 times after 3 days",
        "expect send email bye after 3 days", "expect goal", "expect no send push nudge",
        "expect wait for product_reviewed up to 7 days",
    ),
    "a wait to its end": ("review", *DELIVERED, "expect send push nudge after 7 days", "expect no goal"),
    "another playbook": (
        "review", *DELIVERED, "after 3 days product_reviewed:", "  rating = 1", "expect create ticket",
        "expect update contact", "expect no send push nudge",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MET)
def test_met(name: str, tmp_path: Path) -> None:
    playbook, *lines = MET[name]
    passes(tmp_path, SHOP, playbook, *lines)


NOT_MET = {
    "create": (("review", *DELIVERED, "expect create credit"), "The person went another way"),
    "no create": (
        ("review", *DELIVERED, "after 3 days product_reviewed:", "  rating = 5", "expect no create credit"),
        "It was made 3 days after the start",
    ),
    "update": (("apologise", "expect update contact"), "The person never entered `apologise`: `stage is negative_exp"),
    "no update": (("apologise", "given stage = negative_experience", "expect no update contact"),
    "It was made 21 hours"),
    "add": (("win_back", "given stage = at_risk", "expect add to audience lapsed"), "The person went another way"),
    "no add": (("win_back", "given stage = inactive", "expect no add to audience lapsed"), "It happened 5 days"),
    "remove": (
        ("win_back", "given stage = inactive", "after 3 days order_completed", "expect remove from audience lapsed"),
        "The person left on order_completed",
    ),
    "no remove": (("win_back", "given stage = inactive", "expect no remove from audience lapsed"),
    "It happened 6 days"),
    "wait": (
        ("review", *DELIVERED, "expect wait for product_reviewed up to 7 days after 2 days"),
        "It began 10 minutes after entry",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_MET)
def test_not_met(name: str, tmp_path: Path) -> None:
    (playbook, *lines), start = NOT_MET[name]
    assert fails(tmp_path, SHOP, playbook, *lines).startswith(start)


def test_a_given_stage(tmp_path: Path) -> None:
    condition, *lines = GIVEN["stage"]
    text = f"{OWN}\nplaybook p:\n  start when {condition}\n  enter once\n  send email hello\n"
    passes(tmp_path, text, "p", *lines, "expect send email hello 1 times")


def test_days_of_a_stage_are_counted_from_when_it_was_seen(tmp_path: Path) -> None:
    text = f"{OWN}\nplaybook p:\n  start when stage has been hero for 3 days\n  enter once\n  send email hello\n"
    passes(tmp_path, text, "p", "given stage = hero", "expect enter after 3 days", "expect no enter before 3 days")


def test_playbooks_that_go_in_a_circle_are_stopped(tmp_path: Path) -> None:
    text = """
playbook ping:
  start on signed_up
  enter every time
  wait 1 day
  enroll in pong

playbook pong:
  start when orders.count > 99
  enter every time
  wait 1 day
  enroll in ping

scenario "round and round" for ping:
  given signed_up 1 minute ago
  expect enter
"""
    (result,) = stories(tmp_path, text).values()
    assert "a playbook goes in circles" in told(result)[0]
