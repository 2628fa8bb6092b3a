"""When schedules run: counted from the start, or by the clock of the zone, also when that is changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dsl.plan import Schedule
from flows.schedule import run_times

NEW_YORK = ZoneInfo("America/New_York")


def times(schedule: Schedule, after: str, end: str, zone: ZoneInfo = NEW_YORK) -> list[str]:
    bounds = (datetime.fromisoformat(text).replace(tzinfo=zone) for text in (after, end))
    found = list(run_times(schedule, *bounds, zone))
    assert all(at.tzinfo is UTC for at in found)
    return [f"{at.astimezone(zone):%a %m-%d %H:%M%z}" for at in found]


def test_an_interval_counts_from_the_start_and_ends_before_the_end() -> None:
    found = times(Schedule(seconds=900), "2026-03-02T10:05", "2026-03-02T10:50")
    assert found == ["Mon 03-02 10:20-0500", "Mon 03-02 10:35-0500"]


def test_a_day_of_25_hours_has_25_hourly_runs_the_first_at_its_start_not_counted() -> None:
    assert len(times(Schedule(seconds=3600), "2026-11-01T00:00", "2026-11-02T00:00")) == 24


def test_a_time_of_day_is_local_before_and_after_the_clocks_change() -> None:
    found = times(Schedule(time="09:00"), "2026-03-07T09:00", "2026-03-09T09:01")
    assert found == ["Sun 03-08 09:00-0400", "Mon 03-09 09:00-0400"]


@pytest.mark.parametrize(
    ("clock", "day", "expected"),
    [
        ("02:30", "2026-03-08", ["Sun 03-08 03:30-0400"]),  # there is no 02:30 on this day
        ("01:30", "2026-11-01", ["Sun 11-01 01:30-0400"]),  # there are two
    ],
)
def test_a_time_that_does_not_exist_is_later_and_one_that_comes_twice_runs_once(
    clock: str, day: str, expected: list[str]
) -> None:
    until = datetime.fromisoformat(day) + timedelta(days=1)
    assert times(Schedule(time=clock), day, until.isoformat()) == expected


def test_a_weekday() -> None:
    found = times(Schedule(time="09:00", weekday="monday"), "2026-03-02T08:00", "2026-03-16T08:59")
    assert found == ["Mon 03-02 09:00-0500", "Mon 03-09 09:00-0400"]
