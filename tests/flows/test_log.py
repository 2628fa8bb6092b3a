"""One person's log tells which way each branch went, and by which values."""

from datetime import UTC, timedelta
from pathlib import Path

from flows.timeline import biography, find
from store.engine import read
from tests.flows.shop import NOON, Shop, event, person, shop

CARTS = """
field tier is text

playbook carts:
  run every day at 09:00
  start on product_added
  enter once
  if cart.total >= $40 and country is "NO":
    set tier = "gold"
    send email hello
  otherwise if has product_viewed since entry:
    stop
  wait 1 day
  if tier is "gold":
    send email hello
"""


def branches(made: Shop, user: str) -> list[tuple[int | None, dict[str, object], str]]:
    with read(made.project.engine) as connection:
        (journey,) = biography(connection, find(connection, user)[0], currency="USD", zone=UTC).journeys
    return [(each.way, dict(each.values), each.because) for each in journey.happened if each.what == "branch"]


def test_the_log_has_the_values_as_they_were(tmp_path: Path) -> None:
    made = shop(tmp_path, CARTS)
    cart = {"product_id": "p", "quantity": 1}
    made.calls(
        person("a", country="NO"), event("a", "Product Added", "2026-03-03T11:00:00Z", price=50, **cart),
        person("b"), event("b", "Product Added", "2026-03-03T11:00:00Z", price=10, **cart),
    )  # fmt: skip
    made.run("carts", NOON)
    # What they have done since is not what the branch saw.
    made.calls(
        event("a", "Product Added", "2026-03-03T13:00:00Z", price=100, **cart),
        event("b", "Product Viewed", "2026-03-03T11:30:00Z", product_id="p"),
    )
    made.run("carts", NOON + timedelta(days=1))
    assert branches(made, "a") == [
        (1, {"cart.total": 5000, "country": "NO"}, 'cart.total was $50, country was "NO"'),
        (1, {"tier": "gold"}, 'tier was "gold"'),
    ]
    assert branches(made, "b") == [
        (
            0, {"cart.total": 1000, "country": None, "product_viewed since entry": 0},
            "cart.total was $10, country was unknown, no product_viewed since entry",
        ),
        (0, {"tier": None}, "tier was unknown"),
    ]  # fmt: skip
