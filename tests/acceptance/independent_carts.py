"""Count abandoned carts in a REES46 file, by reading the file: shares no code with the product.

    python -m tests.acceptance.independent_carts FILE.csv 2019-10-02T01:00:00 …

A cart is what was put in and not taken out since the person's last purchase. It is abandoned at T when its last change
is more than 24 hours and at most 7 days before T and its price is above zero.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path


def carts(path: Path) -> dict[str, tuple[datetime, Decimal]]:
    """Per user with something in the cart at the end of the file: the time of the last change, and the price."""
    rows = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file)):
            rows[row["user_id"]].append((row["event_time"], number, row))
    left = {}
    for user, history in rows.items():
        pieces: dict[str, list[Decimal]] = {}
        changed = None
        for time, _, row in sorted(history, key=lambda entry: entry[:2]):
            product, price = row["product_id"], Decimal(row["price"] or 0)
            if row["event_type"] == "cart":
                pieces[product] = [price] * (len(pieces.get(product, [])) + 1)
                changed = time
            elif row["event_type"] == "remove_from_cart" and pieces.get(product):
                pieces[product].pop()
                changed = time
            elif row["event_type"] == "purchase":
                pieces = {}
        total = sum((sum(prices) for prices in pieces.values()), Decimal(0))
        if any(pieces.values()) and changed:
            left[user] = (datetime.strptime(changed, "%Y-%m-%d %H:%M:%S %Z"), total)  # noqa: DTZ007  the file is in UTC
    return left


def abandoned(found: dict[str, tuple[datetime, Decimal]], at: datetime) -> int:
    """How many carts are abandoned at `at` (UTC, without a zone)."""
    youngest, oldest = at - timedelta(hours=24), at - timedelta(days=7)
    return sum(1 for changed, total in found.values() if oldest <= changed < youngest and total > 0)


if __name__ == "__main__":
    found = carts(Path(sys.argv[1]))
    for text in sys.argv[2:]:
        print(text, abandoned(found, datetime.fromisoformat(text)))
