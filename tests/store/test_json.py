"""What each reading of a JSON value gives, on both stores. The random worlds of the profiles' tests find the rest."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select

from store import json
from store.engine import write
from store.schema import profiles

AT = 1_772_359_200_000_000
"""2026-03-01T10:00:00Z"""
CASES: list[tuple[type[json.Reading], Any, Any]] = [
    (json.Text, "Oslo", "Oslo"),
    (json.Text, "", ""),
    (json.Text, 1234, "1234"),
    (json.Text, -7, "-7"),
    (json.Text, 10**15, None),
    (json.Text, 1.5, None),
    (json.Text, True, None),
    (json.Text, None, None),
    (json.Text, ["Oslo"], None),
    (json.Number, 3, 3),
    (json.Number, 0.1, 0.1),
    (json.Number, True, None),
    (json.Number, "3", None),
    (json.Cents, 19.99, 1999),
    (json.Cents, 20, 2000),
    (json.Cents, 1.005, 100),
    (json.Cents, 1.015, 102),
    (json.Cents, 2.675, 268),
    (json.Cents, -0.015, -2),
    (json.Cents, -0.005, 0),
    (json.Cents, 0.125, 12),
    (json.Cents, 0.1251, 13),
    (json.Cents, 999_999_999.99, 99_999_999_999),
    (json.Cents, "19.99", None),
    (json.YesNo, True, True),
    (json.YesNo, False, False),
    (json.YesNo, 1, None),
    (json.YesNo, "true", None),
    (json.Instant, "2026-03-01T10:00:00Z", AT),
    (json.Instant, "2026-03-01 11:00:00+01:00", AT),
    (json.Instant, "2026-03-01T04:30:00-0530", AT),
    (json.Instant, "2026-03-01T10:00:00.25Z", AT + 250_000),
    (json.Instant, "2026-03-01T10:00:00.123456789Z", AT + 123_456),
    (json.Instant, "2026-03-01", AT - 10 * 3_600_000_000),
    (json.Instant, AT // 1_000_000, AT),
    (json.Instant, AT // 1000, AT),
    (json.Instant, AT, AT),
    (json.Instant, AT / 1_000_000 + 0.5, AT + 500_000),
    (json.Instant, "2026-03-01T10:00:00", None),
    (json.Instant, "2026-02-29T10:00:00Z", None),
    (json.Instant, "2024-02-29T10:00:00Z", AT - 731 * 86_400_000_000),
    (json.Instant, "2026-03-01T25:00:00Z", None),
    (json.Instant, "2026-03-01T10:00:00Zed", None),
    (json.Instant, 10**17, None),
    (json.Instant, True, None),
    (json.Day, "2026-03-01", "2026-03-01"),
    (json.Day, "2026-03-01T23:00:00-05:00", "2026-03-01"),
    (json.Day, "2026-02-30", None),
    (json.Day, "2026-3-1", None),
    (json.Day, 20260301, None),
    (json.Filled, [0], True),
    (json.Filled, [], False),
    (json.Filled, "x", None),
    (json.Present, False, True),
    (json.Present, None, None),
    (json.Present, {}, True),
]


def plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def test_readings(engine: Engine) -> None:
    with write(engine) as conn:
        for id, (_, value, _) in enumerate(CASES):
            row = {"id": id, "bucket": 0, "created_at": 0, "custom": {"x": value, "in": [{"x": value}]}, "set_at": {}}
            conn.execute(insert(profiles), row)
        wrong = []
        for id, (reading, value, expected) in enumerate(CASES):
            for path in (("x",), ("in", 0, "x")):
                found = plain(conn.scalar(select(reading(profiles.c.custom, path)).where(profiles.c.id == id)))
                if found != expected or isinstance(found, bool) != isinstance(expected, bool):
                    wrong.append(f"{reading.name} of {value!r} is {found!r}, not {expected!r}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", [("y",), ("x", "y"), ("x", 0), (0,)])
def test_what_is_not_there_is_null(engine: Engine, path: json.Path) -> None:
    with write(engine) as conn:
        row = {"id": 1, "bucket": 0, "created_at": 0, "custom": {"x": "text"}, "set_at": {}}
        conn.execute(insert(profiles), row)
        for reading in json.Reading.__subclasses__():
            assert conn.scalar(select(reading(profiles.c.custom, path)).where(profiles.c.id == 1)) is None


def test_numbers_are_bound_exactly(engine: Engine) -> None:
    with engine.connect() as conn:
        for value in (0, -3, 0.1, 2**63 - 1, 2**70, 1e300):
            assert plain(conn.scalar(select(json.number(value)))) == pytest.approx(float(value), rel=1e-15)
