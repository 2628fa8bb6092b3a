"""The converter of REES46 files, on rows of their form."""

from __future__ import annotations

import csv
import json

import pytest
from sqlalchemy import Engine, select

from profiles.calls import Call, read_line
from profiles.ingest import ingest
from store.schema import consents, traits
from tests.convert.rees46 import calls
from tests.profiles.shop import RULES, START

ROWS = """event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session
2019-10-01 00:00:00 UTC,view,44600062,2103807459595387724,home.lamp,lux,35.79,541312140,s1
2019-10-01 00:00:01 UTC,cart,44600062,2103807459595387724,,lux,35.79,541312140,s1
2019-10-01 00:00:02 UTC,purchase,44600062,2103807459595387724,,lux,35.79,541312140,s1
2019-10-01 00:00:03 UTC,cart,7,1,,,2.50,554748717,s2
2019-10-01 00:00:04 UTC,remove_from_cart,7,1,,,2.50,554748717,s2
2019-10-01 00:00:05 UTC,view,7,1,,,2.5
"""


def test_rows_become_calls_that_add_up(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    made = list(calls(csv.DictReader(ROWS.splitlines()), with_email=True))
    assert [call["type"] for call in made] == ["identify", "track", "track", "track", "identify", "track", "track"]
    assert "row 6 is cut off" in capsys.readouterr().err
    read = [call for each in made for call in read_line(json.dumps(each).encode()) if isinstance(call, Call)]
    assert ingest(engine, read, rules=RULES, received_at=START).counts.imported == 7
    with engine.connect() as connection:
        rows = connection.execute(select(traits).order_by(traits.c.last_seen_at)).all()
        assert connection.scalars(select(consents.c.granted)).all() == [True, True]
    assert [(row.cart_count, row.orders_value, row.browsing_last_category) for row in rows] == [
        (0, 3579, "home.lamp"),
        (0, 0, None),
    ]


def test_without_addresses_only_the_events_are_left() -> None:
    made = list(calls(csv.DictReader(ROWS.splitlines()[:4]), with_email=False))
    assert [call["messageId"] for call in made] == ["rees46-1", "rees46-2", "rees46-3"]
