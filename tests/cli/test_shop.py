"""The demo's shop is believable, and the same for the same seed."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import combinations

import pytest

from cli.demo.catalogue import PRODUCTS
from cli.demo.shop import Sent, Shop, cart_of, generate, reactions
from cli.demo.visits import Call

TODAY = date(2026, 11, 20)


@pytest.fixture(scope="module")
def shop() -> Shop:
    return generate(seed=7, today=TODAY)


def named(calls: Iterable[Call], *events: str) -> list[Call]:
    return [call for call in calls if call.get("event") in events]


def moment(call: Call) -> datetime:
    return datetime.fromisoformat(call["timestamp"])


def cents(cart: dict[str, int]) -> int:
    prices = {product.product_id: product.cents for product in PRODUCTS}
    return sum(prices[product_id] * pieces for product_id, pieces in cart.items())


def carts(shop: Shop) -> list[tuple[bool, int]]:
    """Every cart that ever was: did it become an order, and its greatest worth in cents."""
    found: list[tuple[bool, int]] = []
    for person in shop.people:
        cart: list[Call] = []
        worth = 0
        for call in named(shop.calls_of(person), "Product Added", "Product Removed", "Order Completed"):
            cart.append(call)
            worth = max(worth, cents(cart_of(cart)))
            if not cart_of(cart) and worth:
                found.append((call["event"] == "Order Completed", worth))
                cart, worth = [], 0
        if worth:
            found.append((False, worth))
    return found


def test_the_same_seed_and_day_give_the_same_bytes() -> None:
    one, two, other = (generate(seed=seed, today=TODAY, customers=60) for seed in (1, 1, 2))
    assert json.dumps(one.calls) == json.dumps(two.calls)
    assert json.dumps(one.calls) != json.dumps(other.calls)


def test_more_customers_do_not_change_the_others() -> None:
    few, many = (generate(seed=1, today=TODAY, customers=number) for number in (20, 40))
    person = few.people[5]
    assert few.calls_of(person) == many.calls_of(person)
    assert few.calls_of(person)


def test_the_catalogue_is_a_shop_s() -> None:
    assert len(PRODUCTS) == 120
    assert len({product.category for product in PRODUCTS}) == 8
    assert len({product.product_id for product in PRODUCTS}) == len({product.name for product in PRODUCTS}) == 120
    assert min(product.cents for product in PRODUCTS) == 500
    assert 35_000 <= max(product.cents for product in PRODUCTS) <= 40_000


def test_it_is_as_large_as_promised(shop: Shop) -> None:
    assert 60_000 <= len(shop.calls) <= 100_000
    assert shop.end - shop.live_from == timedelta(days=4)
    assert shop.live_from - shop.start == timedelta(days=60)
    assert len({call["userId"] for call in shop.calls if "userId" in call}) >= 2_000
    days = Counter(moment(call).date() for call in shop.calls)
    assert len(days) == 64
    assert min(days.values()) > 300


def test_every_call_lies_in_its_day_and_none_in_the_future(shop: Shop) -> None:
    assert shop.end == datetime(2026, 11, 20, tzinfo=UTC)
    assert all(shop.start <= moment(call) < shop.live_from for call in shop.history)
    for n in range(4):
        begin = shop.live_from + timedelta(days=n)
        assert all(begin <= moment(call) < begin + timedelta(days=1) for call in shop.day(n))
        assert len(shop.day(n)) > 300
    assert [*shop.history, *(call for n in range(4) for call in shop.day(n))] == list(shop.calls)
    with pytest.raises(IndexError, match="no day 4"):
        shop.day(4)


def test_calls_are_sorted_and_their_ids_unique(shop: Shop) -> None:
    stamps = [call["timestamp"] for call in shop.calls]
    assert stamps == sorted(stamps)
    assert len({call["messageId"] for call in shop.calls}) == len(shop.calls)
    orders = [call["properties"]["order_id"] for call in named(shop.calls, "Order Completed")]
    assert len(set(orders)) == len(orders)


def test_people_are_made_up(shop: Shop) -> None:
    traits = [call["traits"] for call in shop.calls if call["type"] == "identify" and "email" in call["traits"]]
    emails = [one["email"] for one in traits]
    assert len(set(emails)) == len(emails)
    assert all(re.fullmatch(r"[a-z.]+\.\d+@example\.(com|org)", email) for email in emails)
    phones = [one["phone"] for one in traits if "phone" in one]
    assert len(set(phones)) == len(phones) > 300
    assert all(re.fullmatch(r"\+1\d{3}55501\d\d", phone) for phone in phones)
    assert len({one["time_zone"] for one in traits}) >= 8


def test_most_but_not_all_consent(shop: Shop) -> None:
    traits = [call["traits"] for call in shop.calls if call["type"] == "identify" and "email" in call["traits"]]
    assert 0.72 < sum(one["email_consent"] for one in traits) / len(traits) < 0.88
    assert 0.1 < sum(one.get("sms_consent", False) for one in traits) / len(traits) < 0.3
    withdrawn = [call for call in shop.calls if call["type"] == "identify" and "email" not in call["traits"]]
    assert withdrawn
    assert not any(call["traits"]["email_consent"] for call in withdrawn)


def test_everybody_known_was_introduced_first(shop: Shop) -> None:
    introduced = set()
    for call in shop.calls:
        if "userId" in call and call["userId"] not in introduced:
            assert "email" in call["traits"]
            assert call["anonymousId"].startswith("browser-")
            introduced.add(call["userId"])


def test_some_look_around_before_they_sign_up(shop: Shop) -> None:
    before = 0
    for call in named(shop.calls, "Signed Up"):
        person, calls = shop.customers[call["userId"]]
        assert person.member_since is None
        before += "userId" not in calls[0]
    assert before > 500
    assert all(named(shop.day(n), "Signed Up") for n in range(4))


def test_about_seven_carts_in_ten_are_left(shop: Shop) -> None:
    made = carts(shop)
    assert len(made) > 2_000
    assert 0.62 < sum(not ordered for ordered, _ in made) / len(made) < 0.78
    assert 0.3 < sum(worth < 5_000 for _, worth in made) / len(made) < 0.6


@pytest.mark.parametrize("n", range(5))
def test_every_day_has_abandoned_carts_on_both_sides_of_free_shipping(shop: Shop, n: int) -> None:
    now = shop.live_from + timedelta(days=n)
    left = []
    for person, every in shop.customers.values():
        calls = [call for call in every if moment(call) < now]
        cart = cart_of(calls)
        changed = named(calls, "Product Added", "Product Removed")
        day_to_week = cart and timedelta(days=1) < now - moment(changed[-1]) <= timedelta(days=7)
        if day_to_week and "userId" in calls[-1] and person.traits["email_consent"]:
            left.append(cents(cart))
    assert len(left) > 80
    assert sum(worth < 5_000 for worth in left) > 20
    assert sum(worth >= 5_000 for worth in left) > 20


def test_orders_add_up(shop: Shop) -> None:
    orders = named(shop.calls, "Order Completed")
    for order in (call["properties"] for call in orders):
        worth = sum(round(line["price"] * 100) * line["quantity"] for line in order["products"])
        assert round(order["subtotal"] * 100) == worth
        assert round(order["total"] * 100) == worth + (0 if worth >= 5_000 else 595)
        assert order["products"]


def test_a_few_buy_often_and_most_once(shop: Shop) -> None:
    by_person = Counter(Counter(call["userId"] for call in named(shop.calls, "Order Completed")).values())
    assert by_person[1] > by_person[2] > by_person[3] > 0
    assert max(by_person) >= 5
    assert named(shop.calls, "Order Refunded")
    assert named(shop.calls, "Order Cancelled")


def test_what_belongs_together_is_bought_together(shop: Shop) -> None:
    themes = {product.product_id: product.theme for product in PRODUCTS}
    pairs: Counter[tuple[str, str]] = Counter()
    for call in named(shop.calls, "Order Completed"):
        pairs.update(combinations(sorted({line["product_id"] for line in call["properties"]["products"]}), 2))
    often = [pair for pair, times in pairs.items() if times >= 5]
    assert len(often) > 20
    assert sum(themes[one] == themes[two] for one, two in often) / len(often) > 0.9


def test_the_night_is_quiet_and_sunday_busy(shop: Shop) -> None:
    hours: dict[str, Counter[int]] = defaultdict(Counter)
    weekdays: Counter[int] = Counter()
    for call in named(shop.calls, "Product Viewed"):
        hours["all"][moment(call).hour] += 1
        weekdays[moment(call).weekday()] += 1
    assert max(hours["all"].values()) > 4 * min(hours["all"].values())
    assert weekdays[6] > weekdays[4]


# ── Answers to messages ───────────────────────────────────────────────────────────────────────────────────────────────
def messages(shop: Shop, template: str, variant: str | None, at: datetime) -> list[Sent]:
    return [Sent(user_id=user_id, template=template, variant=variant, at=at) for user_id in shop.customers]


def ordered(calls: Sequence[Call]) -> int:
    return len(named(calls, "Order Completed"))


def test_some_answer_within_hours(shop: Shop) -> None:
    at = shop.end - timedelta(hours=2)
    sent = messages(shop, "cart_free_shipping", None, at)
    answers = reactions(sent, shop, seed=7)
    assert 0.06 < ordered(answers) / len(sent) < 0.2
    assert all(at < moment(call) < at + timedelta(hours=21) for call in answers)
    ids = {call["messageId"] for call in shop.calls}
    assert len({call["messageId"] for call in answers} - ids) == len(answers)
    until = at + timedelta(hours=2)
    assert [call for call in answers if moment(call) < until] == reactions(sent, shop, seed=7, until=until)


def test_answers_do_not_depend_on_what_else_was_sent(shop: Shop) -> None:
    sent = messages(shop, "cart_reminder", "question", shop.end)
    one, two = sent[:500], sent[500:]
    together = [*reactions(one, shop, seed=7), *reactions(two, shop, seed=7)]
    assert sorted(together, key=lambda call: (call["timestamp"], call["messageId"])) == reactions(sent, shop, seed=7)


def test_the_question_brings_back_more_than_the_statement(shop: Shop) -> None:
    rates = [
        ordered(reactions(messages(shop, "cart_reminder", variant, shop.end), shop, seed=7)) / len(shop.customers)
        for variant in ("statement", "question")
    ]
    assert rates[0] < rates[1] < 0.2


def test_they_order_what_lay_in_the_cart(shop: Shop) -> None:
    answers = reactions(messages(shop, "cart_last_call", None, shop.end), shop, seed=7)
    with_cart = 0
    for order in named(answers, "Order Completed"):
        cart = cart_of(shop.customers[order["userId"]][1])
        if cart:
            with_cart += 1
            assert {line["product_id"]: line["quantity"] for line in order["properties"]["products"]} == cart
    assert with_cart > 5


def test_people_who_come_anyway_are_left_to_their_own_story(shop: Shop) -> None:
    at = shop.live_from
    busy = {user_id for user_id, (_, calls) in shop.customers.items() if calls and moment(calls[-1]) >= at}
    answering = {call["userId"] for call in reactions(messages(shop, "welcome", None, at), shop, seed=7)}
    assert busy
    assert answering
    assert not busy & answering


def test_a_stranger_does_not_answer(shop: Shop) -> None:
    assert reactions([Sent(user_id="nobody", template="welcome", variant=None, at=shop.end)], shop, seed=7) == []
