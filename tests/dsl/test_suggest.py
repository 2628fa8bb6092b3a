"""Did you mean …?"""

from __future__ import annotations

import pytest

from dsl.catalog import FIELDS
from dsl.standard import EVENTS
from dsl.suggest import did_you_mean, distance, listed, nearest


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("cart.totl", "cart.total"),
        ("cart.toatl", "cart.total"),
        ("cart_total", "cart.total"),
        ("total", "cart.total"),
        ("emial", "email"),
        ("order.count", "orders.count"),
        ("orders.last_order_at", None),
        ("shoe_size", None),
    ],
)
def test_fields(written: str, meant: str | None) -> None:
    assert nearest(written, FIELDS) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("order_complete", "order_completed"),
        ("order_canceled", "order_cancelled"),
        ("sign_up", "signed_up"),
        ("product_view", "product_viewed"),
        ("order_placed", None),
    ],
)
def test_events(written: str, meant: str | None) -> None:
    assert nearest(written, EVENTS) == meant


def test_names_that_begin_alike_come_last() -> None:
    hint = did_you_mean("order_placed", EVENTS)
    assert hint == "Those that begin alike: `order_cancelled`, `order_completed`, `order_refunded` and `order_updated`."
    assert did_you_mean("parcel_lost", EVENTS) is None


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [
        ("email", "emial", 1),
        ("email", "emails", 1),
        ("email", "mail", 1),
        ("email", "e_mail", 1),
        ("sms", "push", None),
    ],
)
def test_slips(one: str, other: str, slips: int | None) -> None:
    assert distance(one, other, 2) == slips
    assert distance(other, one, 2) == slips


def test_names_in_a_sentence() -> None:
    assert [listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "`a`",
        "`a` and `b`",
        "`a`, `b` and `c`",
    ]
