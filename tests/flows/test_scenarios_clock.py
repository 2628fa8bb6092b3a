"""The clock that jumps: when playbooks run, and the instants at which conditions turn by themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dsl.plan import Schedule
from flows.scenario.clock import Grid
from flows.scenario.world import noon_near
from tests.flows.test_scenarios import passes

START = datetime(2026, 3, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "at", "first", "tolerance"),
    [
        (Schedule(seconds=900), START, START, 900),
        (Schedule(seconds=900), START + timedelta(seconds=1), START + timedelta(minutes=15), 900),
        (Schedule(seconds=900), START - timedelta(minutes=20), START - timedelta(minutes=15), 900),
        (Schedule(time="09:00"), START, datetime(2026, 3, 4, 8, tzinfo=UTC), 86_400),
        (Schedule(time="13:00"), START, START, 86_400),
        (Schedule(time="09:00", weekday="monday"), START, datetime(2026, 3, 9, 8, tzinfo=UTC), 604_800),
        (Schedule(time="09:00"), datetime(2026, 3, 29, 5, tzinfo=UTC), datetime(2026, 3, 29, 7, tzinfo=UTC), 86_400),
        (None, START + timedelta(seconds=1), START + timedelta(seconds=1), 900),
    ],
)
def test_the_first_run(schedule: Schedule | None, at: datetime, first: datetime, tolerance: int) -> None:
    grid = Grid(schedule=schedule, start=START, zone=ZoneInfo("Europe/Oslo"))
    assert grid.first(at) == first
    assert grid.tolerance == tolerance


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_without_a_clock_it_is_noon_of_a_tuesday_not_long_ago(zone: str) -> None:
    for hours in range(0, 24 * 9, 7):
        now = START + timedelta(hours=hours)
        at = noon_near(now, ZoneInfo(zone)).astimezone(ZoneInfo(zone))
        assert (at.weekday(), at.hour, at.minute) == (1, 12, 0)
        assert timedelta() <= now - at < timedelta(days=7)


TURNS = {
    "more than ago": ("orders.last_at is more than 90 days ago", "given order_completed 80 days ago", 10),
    "no longer in the last": ("not orders.last_at is in the last 30 days", "given order_completed 20 days ago", 10),
    "no event in the last": (
        "has no product_viewed in the last 7 days and last_seen_at is known", "given product_viewed 2 days ago", 5,
    ),
    "before": ("has product_viewed before 9 days ago", "given product_viewed 2 days ago", 7),
    "abandoned": ("cart.is_abandoned is yes", "given product_added 1 hour ago", 1),
    "birthday": ("birthday is in the next 7 days", "given birthday = 1990-03-20", 10),
    "day": ("trial_ends is in the next 5 days", "given trial_ends = 2026-03-20", 12),
    "past day": ("trial_ends is more than 2 days ago", "given trial_ends = 2026-03-05", 4),
    "property": ("has booked where starts_at is in the next 2 days", "given booked 1 hour ago:", 8),
    "last event": ("last booked was starts_at is in the next 2 days", "given booked 1 hour ago:", 8),
    "has been": ('tier has been "gold" for 3 days', 'given tier = "gold"', 3),
    "has not": ("created_at is known and not opened hello in the last 4 days", "given email_opened 1 day ago:", 3),
}  # fmt: skip


@pytest.mark.parametrize("name", TURNS)
def test_a_condition_turns_by_itself(name: str, tmp_path: Path) -> None:
    condition, given, days = TURNS[name]
    own = "field trial_ends is date\nfield tier is text\nevent booked:\n  starts_at is timestamp\n"
    text = f"{own}\nplaybook p:\n  run every 6 hours\n  start when {condition}\n  enter once\n  send email hello\n"
    more = {
        "property": "  starts_at = 2026-03-13",
        "last event": "  starts_at = 2026-03-13",
        "has not": '  template = "hello"',
    }
    lines = [given, *([more[name]] if name in more else [])]
    passes(
        tmp_path, text, "p", "given clock 2026-03-03 12:00", *lines, f"expect no enter before {days * 24 - 13} hours",
        f"expect enter after {days * 24} hours" if name not in ("birthday", "day", "property", "last event", "past day")
        else "expect enter",
    )  # fmt: skip
    if name in ("birthday", "day", "property", "last event"):
        passes(tmp_path, text, "p", "given clock 2026-03-03 12:00", *lines, f"expect enter after {days * 24 - 6} hours")
