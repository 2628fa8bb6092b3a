"""Turn a REES46 event file (CSV) into Segment calls (JSONL): `python tests/convert/rees46.py IN.csv OUT.jsonl`.

The last line of an export may be cut off: it is passed over and counted. A purchase row is an order of one product.
Each user also gets an e-mail address `u<id>@example.com` and consent to e-mail at their first event (--no-email: not).
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

EVENTS = {
    "view": "Product Viewed",
    "cart": "Product Added",
    "remove_from_cart": "Product Removed",
    "purchase": "Order Completed",
}


def calls(rows: Iterable[dict[str, str]], *, with_email: bool) -> Iterator[dict[str, Any]]:
    """The calls of the rows, in their order; the number of a row is its event's id."""
    met: set[str] = set()
    for number, row in enumerate(rows, start=1):
        if not row.get("user_session"):
            print(f"row {number} is cut off and passed over", file=sys.stderr)
            continue
        user = row["user_id"]
        at = datetime.strptime(row["event_time"], "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC)
        timestamp = at.isoformat().replace("+00:00", "Z")
        if with_email and user not in met:
            met.add(user)
            yield {
                "type": "identify",
                "messageId": f"rees46-u{user}",
                "userId": user,
                "timestamp": timestamp,
                "traits": {"email": f"u{user}@example.com", "email_consent": True, "consent_source": "rees46"},
            }
        yield {
            "type": "track",
            "messageId": f"rees46-{number}",
            "event": EVENTS[row["event_type"]],
            "userId": user,
            "timestamp": timestamp,
            "properties": properties(number, row),
        }


def properties(number: int, row: dict[str, str]) -> dict[str, Any]:
    """The product of the row, or the order of it."""
    product: dict[str, Any] = {"product_id": row["product_id"], "price": float(row["price"])}
    if row["category_code"]:
        product["category"] = row["category_code"]
    if row["brand"]:
        product["brand"] = row["brand"]
    if row["event_type"] == "purchase":
        order = f"{row['user_session']}-{number}"
        return {"order_id": order, "total": product["price"], "products": [{**product, "quantity": 1}]}
    return product


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--no-email", action="store_true")
    told = parser.parse_args()
    with told.source.open(newline="", encoding="utf-8") as source, told.target.open("w", encoding="utf-8") as target:
        for call in calls(csv.DictReader(source), with_email=not told.no_email):
            target.write(json.dumps(call) + "\n")


if __name__ == "__main__":
    main()
