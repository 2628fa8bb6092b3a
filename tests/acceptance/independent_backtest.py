"""Play a cart playbook over a REES46 file, by reading the file: shares no code with the product.

    python -m tests.acceptance.independent_backtest FILE.csv STRETCH START END

Every hour of [START, END) (of the stretched calendar, UTC without a zone) it asks whose cart was left: what was put in
and not taken out since the last purchase is worth something, and its last change is more than 24 hours and at most 7
days ago. Who was not asked the last time, and never was before, enters and gets a message; 24 hours later another one,
unless there was a purchase in between. A purchase within 7 days of the entry is a goal.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Days = dict[date, tuple[int, int, int]]
"""By day: how many entered, messages, goals."""


def stretched(text: str, factor: int) -> datetime:
    """A time of the file as if the file's hours were `factor` times as long; it begins on 1 October 2019."""
    at = datetime.strptime(text, "%Y-%m-%d %H:%M:%S UTC")  # noqa: DTZ007  the file is in UTC
    return datetime(2019, 10, 1) + (at - datetime(2019, 10, 1)) * factor  # noqa: DTZ001


def played(path: Path, factor: int, start: datetime, end: datetime) -> Days:
    """What happens on the days on which anything does."""
    with path.open(newline="", encoding="utf-8") as file:
        # The last line of the file is cut off.
        rows = [(stretched(row["event_time"], factor), row) for row in csv.DictReader(file) if row["user_session"]]
    rows.sort(key=lambda each: each[0])
    carts: dict[str, dict[str, list[Decimal]]] = {}
    changed: dict[str, datetime] = {}
    bought: dict[str, list[datetime]] = {}
    entered: dict[str, datetime] = {}
    counts = Counter[tuple[date, int]]()
    matched: set[str] | None = None
    position, now = 0, start
    while now < end:
        while position < len(rows) and rows[position][0] <= now:
            at, row = rows[position]
            position += 1
            take(row, at, carts.setdefault(row["user_id"], {}), changed, bought)
        matching = {
            user
            for user, at in changed.items()
            if now - 7 * DAY <= at < now - DAY and sum(sum(prices) for prices in carts[user].values()) > 0
        }
        for user in matching - (matching if matched is None else matched) - entered.keys():
            entered[user] = now
            counts[now.date(), 0] += 1
            counts[now.date(), 1] += 1
        for user, since in entered.items():
            if now == since + DAY and not any(since < at <= now for at in bought.get(user, ())):
                counts[now.date(), 1] += 1
        matched, now = matching, now + HOUR
    for at, row in rows:
        since = entered.get(row["user_id"])
        if row["event_type"] == "purchase" and since and since < at < since + 7 * DAY and at <= end:
            counts[at.date(), 2] += 1
            del entered[row["user_id"]]
    return {day: (counts[day, 0], counts[day, 1], counts[day, 2]) for day in sorted({day for day, _ in counts})}


def take(
    row: dict[str, str],
    at: datetime,
    cart: dict[str, list[Decimal]],
    changed: dict[str, datetime],
    bought: dict[str, list[datetime]],
) -> None:
    user, product = row["user_id"], row["product_id"]
    match row["event_type"]:
        case "cart":
            cart[product] = [Decimal(row["price"] or 0)] * (len(cart.get(product, ())) + 1)
            changed[user] = at
        case "remove_from_cart" if cart.get(product):
            cart[product].pop()
            changed[user] = at
        case "purchase":
            cart.clear()
            bought.setdefault(user, []).append(at)


if __name__ == "__main__":
    times = [datetime.fromisoformat(text) for text in sys.argv[3:5]]
    for day, numbers in played(Path(sys.argv[1]), int(sys.argv[2]), *times).items():
        print(day, *numbers)
