"""What a call must say, and what is told when it does not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.calls import BadCall, Call, read_calls, read_line
from profiles.values import MAX_LINE, cents, snake_case
from tests.profiles.shop import at, identify, read, track

GOOD = {"type": "track", "event": "Product Viewed", "userId": "ann", "timestamp": "2026-03-01T12:00:00Z"}


def one(**changes: Any) -> Call | BadCall:
    """The call that GOOD becomes with these changes; None takes a key away."""
    call = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    return read_line(json.dumps(call).encode())[0]


def refused(**changes: Any) -> str:
    found = one(**changes)
    assert isinstance(found, BadCall), found
    return found.reason


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("Product Added", "product_added"),
        ("ProductAdded", "product_added"),
        ("product_added", "product_added"),
        ("Signed Up", "signed_up"),
        ("PDP View", "pdp_view"),
        ("cart.viewed", "cart_viewed"),
        ("  Été  à la mer! ", "été_à_la_mer"),
        ("!?", ""),
    ],
)
def test_names_become_snake_case(given_name: str, name: str) -> None:
    assert snake_case(given_name) == name


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"Hello", "The line is not JSON: Expecting value at column 1."),
        (b'{"type": "track", ', "The line ends in the middle of its JSON."),
        (b'{"type": "tra', "The line ends in the middle of its JSON."),
        (b"[1, 2]", "The line is [1, 2], not an object in braces."),
        (b"null", "The line is null, not an object in braces."),
        (b'{"type": "track", "type": "page"}', 'The key "type" is given twice in one object.'),
        (b'{"type": "track", "price": NaN}', "NaN is not a number."),
        (b'{"type": "track", "price": -Infinity}', "-Infinity is not a number."),
        (b'{"type": "track", "event": "caf\xe9"}', "Byte 32 of the line is not UTF-8."),
        (b'{"x": ' + b"9" * 5000 + b"}", "A number in the line is too large."),
        (b"[" * 100_000, "The call is nested far too deeply."),
        (b'{"a": "' + b"x" * MAX_LINE + b'"}', "The line is longer than 1 MiB."),
    ],
)
def test_lines_that_are_no_calls(line: bytes, reason: str) -> None:
    (found,) = read_line(line)
    assert isinstance(found, BadCall)
    assert found.reason.startswith(reason)


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"type": None}, ["has no `type`", "identify, track"]),
        ({"type": "purchase"}, ['The type "purchase" is not known', "identify, track"]),
        ({"type": ["track"]}, ["is not known"]),
        ({"userId": None}, ["names nobody", "`userId`"]),
        ({"userId": ""}, ["names nobody"]),
        ({"userId": "undefined"}, ["names nobody", "Leave it out"]),
        ({"userId": True}, ["`userId` is true; it must be a text"]),
        ({"userId": "x" * 600}, ["`userId` is longer than 512"]),
        ({"event": None}, ["`event` is null", "Product Viewed"]),
        ({"event": 7}, ["`event` is 7"]),
        ({"event": "Identify"}, ["cannot be called `identify`"]),
        ({"timestamp": None}, ["has no `timestamp`", "2026-11-21T18:30:00Z"]),
        ({"timestamp": "yesterday"}, ['`timestamp` is "yesterday", which is not a time']),
        ({"timestamp": "2026-03-01T12:00:00"}, ["has no time zone"]),
        ({"timestamp": "2026-03-01"}, ["has no time zone"]),
        ({"timestamp": 1767225600}, ["`timestamp` is 1767225600, which is not a text with a time"]),
        ({"timestamp": "0001-01-01T00:00:00Z"}, ["not between the years 1970 and 2200"]),
        ({"properties": []}, ["`properties` is []; it must be an object"]),
        ({"context": "web"}, ['`context` is "web"; it must be an object']),
        ({"properties": {"price": "12,50"}}, ['`price` is "12,50", which is not a number', "1299.5"]),
        ({"properties": {"price": True}}, ["`price` is true, which is not a number"]),
        ({"properties": {"price": -1}}, ["`price` is -1; it cannot be negative", "Order Refunded"]),
        ({"properties": {"price": 1e300}}, ["the most is"]),
        ({"properties": {"price": 2**70}}, ["too large"]),
        ({"properties": {"quantity": 1.5}}, ["whole number of pieces"]),
        ({"properties": {"quantity": "-2"}}, ['`quantity` is "-2"; it cannot be negative']),
        ({"properties": {"product_id": {}}}, ["`product_id` is {}; it must be a text"]),
        ({"properties": {"products": {}}}, ["`products` is {}; it must be a list"]),
        ({"properties": {"products": [{}, {"price": "x"}]}}, ['`products[1].price` is "x"']),
        ({"properties": {"note": "x" * 70_000}}, ["longer than 64 KiB"]),
        ({"properties": {"note": "a\0b"}}, ["\\u0000"]),
        ({"properties": {"note": "\ud800"}}, ["half of a character"]),
        ({"type": "alias"}, ["`previousId` and `userId`"]),
        ({"type": "group"}, ["needs `groupId`"]),
    ],
)
def test_calls_that_are_refused(changes: dict[str, Any], parts: list[str]) -> None:
    reason = refused(**changes)
    assert [part for part in parts if part not in reason] == [], reason
    assert len(reason) < 300


def test_an_infinite_number_written_with_an_exponent_is_refused() -> None:
    line = json.dumps(GOOD)[:-1].encode() + b', "properties": {"discount": 1e999}}'
    assert read_line(line) == [BadCall(reason="A number is infinite or not a number at all.")]


def test_deep_nesting_is_refused() -> None:
    value: Any = 1
    for _ in range(40):
        value = [value]
    assert refused(properties={"tree": value}) == "The call is nested more than 32 levels deep."


def test_numeric_texts_become_numbers() -> None:
    call = one(properties={"price": " 35.79 ", "quantity": "2", "product_id": 4711, "note": "12"})
    assert isinstance(call, Call)
    assert call.properties == {"price": 35.79, "quantity": 2, "product_id": "4711", "note": "12"}


def test_properties_of_a_shops_own_events_stay_as_they_are() -> None:
    call = one(event="Lamp Lit", properties={"price": "cheap", "quantity": -1})
    assert isinstance(call, Call)
    assert call.properties == {"price": "cheap", "quantity": -1}


def test_keys_become_snake_case_and_the_snake_case_one_wins() -> None:
    call = one(properties={"productId": "a", "product_id": "b", "imageUrl": "c"})
    assert isinstance(call, Call)
    assert call.properties == {"product_id": "b", "image_url": "c"}


def test_pages_and_screens_are_events_with_names() -> None:
    page = {**GOOD, "type": "page", "name": "Home", "properties": {"path": "/"}}
    (call,) = read(page)
    assert (call.name, call.properties) == ("page_viewed", {"name": "Home", "path": "/"})
    assert read({**page, "type": "screen"})[0].name == "screen_viewed"


def test_the_time_is_the_original_one_when_there_is_no_timestamp() -> None:
    call = one(timestamp=None, originalTimestamp="2026-03-01T13:00:00+01:00", sentAt="2026-03-09T00:00:00Z")
    assert call == one()


def test_a_call_without_an_id_is_known_by_what_it_says() -> None:
    first, again, other = one(), one(sentAt="2026-03-09T00:00:00Z"), one(event="Product Added")
    assert isinstance(first, Call)
    assert isinstance(again, Call)
    assert isinstance(other, Call)
    assert first.event_id == again.event_id != other.event_id


def test_a_batch_gives_its_calls_and_says_which_is_bad() -> None:
    batch = {
        "batch": [GOOD, {**GOOD, "type": "buy"}, track("Product Added", 1)],
        "context": {"timezone": "Europe/Oslo"},
    }
    good, bad, last = read_line(json.dumps(batch).encode())
    assert isinstance(good, Call)
    assert good.time_zone == "Europe/Oslo"
    assert isinstance(bad, BadCall)
    assert bad.reason.startswith('Call 2 of the batch: The type "buy" is not known.')
    assert json.loads(bad.text or "")["type"] == "buy"
    assert isinstance(last, Call)
    assert read_calls({"batch": []}) == [BadCall(reason="`batch` must be a list of calls, and not empty.")]


def test_traits_come_from_identify_and_from_the_context() -> None:
    (call,) = read({**identify(0, firstName="Ann"), "context": {"traits": {"city": "Oslo", "firstName": "A."}}})
    assert call.traits == {"first_name": "Ann", "city": "Oslo"}
    (seen,) = read({**track("Lamp Lit", 0), "context": {"traits": {"email": "ann@example.com"}}})
    assert seen.traits == {"email": "ann@example.com"}
    assert at(0).startswith("2026-03-01T12:00")


@pytest.mark.parametrize(("amount", "hundredths"), [(35.79, 3579), (1, 100), (0.125, 12), (0.135, 14), (1e-7, 0)])
def test_money_is_rounded_half_to_even_as_it_is_written(amount: float, hundredths: int) -> None:
    assert cents(amount) == hundredths


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ("type", "event", "userId", "anonymousId", "timestamp", "properties", "traits", "context", "batch", "messageId")
)


@given(st.dictionaries(KEYS, JSON_VALUES) | JSON_VALUES, st.sampled_from(("track", "identify", "page", "alias")))
def test_nothing_that_comes_in_breaks_the_reader(value: Any, kind: str) -> None:
    for given_value in (value, {**GOOD, **value, "type": kind} if isinstance(value, dict) else value):
        assert all(isinstance(call, Call | BadCall) for call in read_calls(given_value))
        line = json.dumps(given_value).encode()
        assert all(isinstance(call, Call | BadCall) for call in read_line(line))


@given(st.binary(max_size=80))
def test_no_bytes_break_the_reader(line: bytes) -> None:
    assert len(read_line(line)) == 1


@pytest.mark.parametrize(
    ("properties", "total"),
    [
        ({"order_id": "1", "products": [{"product_id": "a", "price": 19.99, "quantity": 3}]}, 59.97),
        ({"order_id": "1", "revenue": "12.50"}, 12.5),
        ({"order_id": "1", "total": 5, "products": [{"product_id": "a", "price": 19.99}]}, 5),
        ({"order_id": "1"}, None),
    ],
)
def test_an_order_without_a_total_gets_it_from_its_products(properties: dict[str, Any], total: float | None) -> None:
    call = {"type": "track", "event": "Order Completed", "userId": "u", "timestamp": "2026-03-01T10:00:00Z"}
    (made,) = read_calls({**call, "properties": properties})
    assert isinstance(made, Call)
    assert made.properties.get("total") == total
