"""Local times: waits, quiet hours, daylight saving."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl.plan import Policy, Wait
from ledger.waits import over_at, quiet_until, zone_of

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = Policy(quiet_hours=("21:00", "08:00"))


def at(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold)


@pytest.mark.parametrize(
    ("wait", "begins", "over"),
    [
        (Wait(id="w", next=None, seconds=172800), "2026-03-03 12:00", "2026-03-05 12:00"),
        (Wait(id="w", next=None, time="09:00"), "2026-03-03 08:59", "2026-03-03 09:00"),
        (Wait(id="w", next=None, time="09:00"), "2026-03-03 09:00", "2026-03-03 09:00"),
        (Wait(id="w", next=None, time="09:00"), "2026-03-03 09:01", "2026-03-04 09:00"),
        (Wait(id="w", next=None, time="10:00", weekday="thursday"), "2026-03-03 12:00", "2026-03-05 10:00"),
        (Wait(id="w", next=None, time="10:00", weekday="thursday"), "2026-03-05 10:00", "2026-03-05 10:00"),
        (Wait(id="w", next=None, time="10:00", weekday="thursday"), "2026-03-05 10:01", "2026-03-12 10:00"),
        (Wait(id="w", next=None, time="09:00", days=1), "2026-03-03 00:01", "2026-03-04 09:00"),
        (Wait(id="w", next=None, time="09:00", days=1), "2026-03-03 23:59", "2026-03-04 09:00"),
        # 48 hours are 48 hours, also over the change to summer time (2026-03-29, 02:00 becomes 03:00) …
        (Wait(id="w", next=None, seconds=172800), "2026-03-28 12:00", "2026-03-30 13:00"),
        # … but nine o'clock is nine o'clock.
        (Wait(id="w", next=None, time="09:00"), "2026-03-28 12:00", "2026-03-29 09:00"),
        # A time that does not exist moves forward.
        (Wait(id="w", next=None, time="02:30"), "2026-03-28 12:00", "2026-03-29 03:30"),
        (Wait(id="w", next=None, time="02:30"), "2026-03-29 03:31", "2026-03-30 02:30"),
    ],
)
def test_when_a_wait_is_over(wait: Wait, begins: str, over: str) -> None:
    assert over_at(wait, at(begins), BERLIN) == at(over).astimezone(UTC)


def test_an_hour_that_comes_twice_counts_once() -> None:
    """On 2026-10-25 the clocks in Berlin go from 03:00 back to 02:00."""
    wait = Wait(id="w", next=None, time="02:30")
    assert over_at(wait, at("2026-10-24 12:00"), BERLIN) == at("2026-10-25 02:30", fold=0).astimezone(UTC)
    for second in ("2026-10-25 02:10", "2026-10-25 02:30", "2026-10-25 02:50"):
        assert over_at(wait, at(second, fold=1), BERLIN) == at("2026-10-26 02:30").astimezone(UTC)


@pytest.mark.parametrize("name", [None, "", "Nowhere/At all", "../../etc/passwd", "a\0b", "CET+1", "/etc", "Europe"])
def test_an_unknown_zone_is_the_projects(name: str | None) -> None:
    assert zone_of(name, "Europe/Berlin").key == "Europe/Berlin"


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-03-03 20:59", None),
        ("2026-03-03 21:00", "2026-03-04 08:00"),
        ("2026-03-04 00:00", "2026-03-04 08:00"),
        ("2026-03-04 07:59", "2026-03-04 08:00"),
        ("2026-03-04 08:00", None),
        ("2026-03-28 22:00", "2026-03-29 08:00"),
        ("2026-10-24 22:00", "2026-10-25 08:00"),
    ],
)
def test_quiet_hours_over_midnight(now: str, until: str | None) -> None:
    assert quiet_until(NIGHT, at(now), BERLIN) == (None if until is None else at(until).astimezone(UTC))


def test_quiet_hours_by_day_and_none() -> None:
    siesta = Policy(quiet_hours=("13:00", "15:00"))
    assert quiet_until(siesta, at("2026-03-03 14:00"), BERLIN) == at("2026-03-03 15:00")
    assert quiet_until(siesta, at("2026-03-03 15:00"), BERLIN) is None
    assert quiet_until(Policy(), at("2026-03-03 03:00"), BERLIN) is None
    assert quiet_until(Policy(quiet_hours=("08:00", "08:00")), at("2026-03-03 08:00"), BERLIN) is None


def test_quiet_days_and_nights_together() -> None:
    weekend = Policy(quiet_hours=("21:00", "08:00"), quiet_days=("saturday", "sunday"))
    assert quiet_until(weekend, at("2026-03-06 21:00"), BERLIN) == at("2026-03-09 08:00")
    assert quiet_until(weekend, at("2026-03-07 12:00"), BERLIN) == at("2026-03-09 08:00")
    every = Policy(quiet_days=("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"))
    ever = quiet_until(every, at("2026-03-07 12:00"), BERLIN)
    assert ever is not None and ever > at("2026-03-08 00:00"), "never an end to send at"


def test_quiet_until_the_second_of_two_equal_hours_is_over() -> None:
    early = Policy(quiet_hours=("21:00", "02:30"))
    assert quiet_until(early, at("2026-10-25 02:10", fold=1), BERLIN) == at("2026-10-25 02:30", fold=1).astimezone(UTC)


@settings(max_examples=200, deadline=None)
@given(
    now=st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
    hours=st.tuples(*[st.times().map(lambda t: t.strftime("%H:%M"))] * 2),
    days=st.sets(st.sampled_from(["monday", "saturday", "sunday"])),
)
def test_after_the_quiet_it_is_not_quiet(now: datetime, zone: str, hours: tuple[str, str], days: set[str]) -> None:
    policy = Policy(quiet_hours=hours, quiet_days=tuple(sorted(days)))  # type: ignore[arg-type]
    until = quiet_until(policy, now, ZoneInfo(zone))
    if until is not None:
        assert now < until <= now + timedelta(days=6)
        assert quiet_until(policy, until, ZoneInfo(zone)) is None


@settings(max_examples=200, deadline=None)
@given(
    now=st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
    clock=st.times().map(lambda t: t.strftime("%H:%M")),
    weekday=st.sampled_from([None, "monday", "sunday"]),
)
def test_waits_go_forward_and_not_far(now: datetime, zone: str, clock: str, weekday: str | None) -> None:
    over = over_at(Wait(id="w", next=None, time=clock, weekday=weekday), now, ZoneInfo(zone))  # type: ignore[arg-type]
    assert now <= over <= now + timedelta(days=8 if weekday else 1, hours=2)
