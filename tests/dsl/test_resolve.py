"""What conditions and names mean: text in, typed values out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsl import conditions as c
from dsl import plan
from dsl.catalog import Catalog
from dsl.compile import compile_sources
from dsl.conditions import Condition, Constant, Field
from dsl.types import Type
from tests.dsl.shop import shop

DAY = 86_400


def meaning(condition: str, *more: str, catalog: Catalog | None = None) -> Condition:
    """What a condition means, with declarations beside it."""
    source = "\n".join((*more, f"segment asked when {condition}", ""))
    compiled = compile_sources({"p.playbook": source}, catalog or shop())
    assert compiled.problems == ()
    return compiled.segments["asked"]


def profile(name: str, kind: Type) -> Field:
    return Field(scope="profile", name=name, type=kind)


TOTAL = profile("cart.total", Type.MONEY)
COUNT = profile("cart.count", Type.NUMBER)
CITY = profile("city", Type.TEXT)
UPDATED = profile("cart.updated_at", Type.TIMESTAMP)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("cart.total >= $50", c.Compare(field=TOTAL, operator=">=", value=Constant(type=Type.MONEY, value=5000))),
        ("cart.total < $1,000.50", c.Compare(field=TOTAL, operator="<", value=Constant(type=Type.MONEY, value=100050))),
        ("cart.count is 3", c.Compare(field=COUNT, operator="is", value=Constant(type=Type.NUMBER, value=3))),
        ("cart.count > 2.5", c.Compare(field=COUNT, operator=">", value=Constant(type=Type.NUMBER, value=2.5))),
        ('city is not "Oslo"', c.Compare(field=CITY, operator="is not", value=Constant(type=Type.TEXT, value="Oslo"))),
        ("city is country", c.Compare(field=CITY, operator="is", value=profile("country", Type.TEXT))),
        (
            'city is one of "Oslo", country',
            c.OneOf(field=CITY, values=(Constant(type=Type.TEXT, value="Oslo"), profile("country", Type.TEXT))),
        ),
        (
            "cart.is_abandoned is yes",
            c.Compare(
                field=profile("cart.is_abandoned", Type.YES_NO),
                operator="is",
                value=Constant(type=Type.YES_NO, value=True),
            ),
        ),
        (
            "birthday is 2000-02-29",
            c.Compare(
                field=profile("birthday", Type.DATE),
                operator="is",
                value=Constant(type=Type.DATE, value="2000-02-29"),
            ),
        ),
        ("city is known", c.Known(field=CITY)),
        ("city is unknown", c.Not(condition=c.Known(field=CITY))),
        ("cart.updated_at is more than 36 hours ago", c.Recency(field=UPDATED, kind="ago", seconds=36 * 3600)),
        ("cart.updated_at is in the last 2 weeks", c.Recency(field=UPDATED, kind="last", seconds=14 * DAY)),
        ("cart.updated_at is in the next 1 month", c.Recency(field=UPDATED, kind="next", seconds=30 * DAY)),
        ("cart.updated_at is before 2026-12-24", c.Calendar(field=UPDATED, kind="before", day="2026-12-24")),
        ("cart.updated_at is after 2026-12-24", c.Calendar(field=UPDATED, kind="after", day="2026-12-24")),
        ('city starts with "New"', c.Contains(field=CITY, kind="starts_with", text="New")),
        ('city contains "York"', c.Contains(field=CITY, kind="contains", text="York")),
        (
            "browsing.last_product.price > $9.90",
            c.Compare(
                field=profile("browsing.last_product.price", Type.MONEY),
                operator=">",
                value=Constant(type=Type.MONEY, value=990),
            ),
        ),
        ("can receive sms", c.CanReceive(channel="sms", topic="marketing")),
        ("can receive email about offers", c.CanReceive(channel="email", topic="offers")),
    ],
)
def test_tests_on_fields(written: str, meant: Condition) -> None:
    assert meaning(written) == meant


@pytest.mark.parametrize(
    ("written", "least", "most", "window"),
    [
        ("has product_viewed", 1, None, None),
        ("has no product_viewed", 0, 0, None),
        ("has product_viewed at least 3 times", 3, None, None),
        ("has product_viewed at most 2 times", 0, 2, None),
        ("has product_viewed exactly 2 times", 2, 2, None),
        ("has product_viewed exactly 0 times", 0, 0, None),
        ("has product_viewed in the last 7 days", 1, None, c.Window(kind="last", seconds=7 * DAY)),
        ("has no product_viewed before 3 days ago", 0, 0, c.Window(kind="before", seconds=3 * DAY)),
        (
            "has product_viewed between 2026-11-01 and 2026-11-30",
            1,
            None,
            c.Window(kind="between", start="2026-11-01", end="2026-11-30"),
        ),
        ("has product_viewed since entry", 1, None, c.Window(kind="entry")),
    ],
)
def test_events_are_counted(written: str, least: int, most: int | None, window: c.Window | None) -> None:
    assert meaning(written) == c.HasEvent(event="product_viewed", least=least, most=most, window=window)


def test_a_name_in_where_is_a_property() -> None:
    rating = Field(scope="property", name="rating", type=Type.NUMBER)
    assert meaning("has product_reviewed where (rating <= 2 and name is last_name)") == c.HasEvent(
        event="product_reviewed",
        least=1,
        most=None,
        where=c.AllOf(
            conditions=(
                c.Compare(field=rating, operator="<=", value=Constant(type=Type.NUMBER, value=2)),
                c.Compare(
                    field=Field(scope="property", name="name", type=Type.TEXT),
                    operator="is",
                    value=profile("last_name", Type.TEXT),
                ),
            )
        ),
    )


@pytest.mark.parametrize(
    ("written", "kind"),
    [("score > 3", Type.NUMBER), ("score > $3", Type.MONEY), ('score contains "x"', Type.TEXT)],
)
def test_a_property_of_no_declared_type_takes_the_type_of_what_it_is_compared_with(written: str, kind: Type) -> None:
    found = meaning(f"has quiz_taken where {written}")
    assert isinstance(found, c.HasEvent)
    assert isinstance(found.where, c.Compare | c.Contains)
    assert found.where.field == Field(scope="property", name="score", type=kind)


def test_and_binds_tighter_than_or() -> None:
    known = {name: c.Known(field=profile(name, Type.TEXT)) for name in ("city", "phone", "email")}
    assert meaning("city is known or phone is known and not email is known") == c.AnyOf(
        conditions=(
            known["city"],
            c.AllOf(conditions=(known["phone"], c.Not(condition=known["email"]))),
        )
    )


def test_constants_and_segments_are_put_in() -> None:
    big = c.Compare(field=TOTAL, operator=">", value=Constant(type=Type.MONEY, value=25_000))
    found = meaning(
        "in segment rich and city is known", "segment rich when cart.total > big", "let big = $250", "let unused = 3"
    )
    assert found == c.AllOf(conditions=(big, c.Known(field=CITY)))


def test_declarations_of_all_files_see_each_other() -> None:
    compiled = compile_sources(
        {
            "b.playbook": "playbook p:\n  start on parcel_sent where weight > heavy\n  enter once\n"
            "  only if tier is unknown\n  send email hello\n",
            "a.playbook": "event parcel_sent:\n  weight is number\nlet heavy = 20\n",
            "c.playbook": "field tier is text\n",
        },
        shop(),
    )
    assert compiled.problems == ()
    assert compiled.plans["p"].trigger == plan.StartOn(
        event="parcel_sent",
        where=c.Compare(
            field=Field(scope="property", name="weight", type=Type.NUMBER),
            operator=">",
            value=Constant(type=Type.NUMBER, value=20),
        ),
    )
    assert compiled.catalog.fields["tier"].type is Type.TEXT
    assert compiled.catalog.property("parcel_sent", "weight") is Type.NUMBER


def test_a_standard_event_may_be_given_more_properties() -> None:
    found = meaning("has order_completed where gift is yes", "event order_completed:", "  gift is yes_no")
    assert isinstance(found, c.HasEvent)
    assert found.where == c.Compare(
        field=Field(scope="property", name="gift", type=Type.YES_NO),
        operator="is",
        value=Constant(type=Type.YES_NO, value=True),
    )


def test_a_declared_type_counts_for_a_property_that_was_seen() -> None:
    found = meaning("has quiz_taken where score is known", "event quiz_taken:", "  score is number")
    assert isinstance(found, c.HasEvent)
    assert found.where == c.Known(field=Field(scope="property", name="score", type=Type.NUMBER))


@pytest.mark.parametrize(
    ("currency", "written"),
    [("EUR", "€50"), ("EUR", "50 EUR"), ("GBP", "£50"), ("PLN", "50 PLN"), ("CAD", "$50"), ("USD", "50 USD")],
)
def test_money_in_the_currency_of_the_shop(currency: str, written: str) -> None:
    found = meaning(f"cart.total > {written}", catalog=shop(currency))
    assert found == c.Compare(field=TOTAL, operator=">", value=Constant(type=Type.MONEY, value=5000))


def test_templates_are_held_to_only_where_they_are_given() -> None:
    source = "playbook p:\n  start on signed_up\n  enter once\n  send email unheard_of\n"
    without = replace(shop(), templates={}, templates_given=False)
    assert compile_sources({"p.playbook": source}, without).problems == ()
    none_at_all = replace(shop(), templates={})
    assert [problem.code for problem in compile_sources({"p.playbook": source}, none_at_all).problems] == ["WB204"]


def test_settings_of_a_playbook() -> None:
    source = """
playbook p:
  about "Why."
  run every day at 09:00
  start on order_completed
  only if event.total > $20
  enter once per event.order_id
  leave when has order_cancelled since entry
  goal product_reviewed within 2 weeks
  holdout 2.5%

  send email cart:
    items = event.products
    offer = 10%
"""
    made = compile_sources({"p.playbook": source}, shop()).plans["p"]
    ordered = Field(scope="event", name="total", type=Type.MONEY)
    assert made == plan.Plan(
        name="p",
        about="Why.",
        schedule=plan.Schedule(time="09:00"),
        trigger=plan.StartOn(event="order_completed"),
        only_if=c.Compare(field=ordered, operator=">", value=Constant(type=Type.MONEY, value=2000)),
        entry=plan.Entry(kind="per", per="order_id"),
        exits=(
            plan.LeaveWhen(
                condition=c.HasEvent(event="order_cancelled", least=1, most=None, window=c.Window(kind="entry"))
            ),
        ),
        goal=plan.Goal(event="product_reviewed", seconds=14 * DAY),
        holdout=2.5,
        steps=(
            plan.Send(
                id="send:cart",
                channel="email",
                template="cart",
                arguments=(
                    ("items", Field(scope="event", name="products", type=Type.PRODUCTS)),
                    ("offer", Constant(type=Type.PERCENT, value=10.0)),
                ),
                next=None,
            ),
        ),
    )


@pytest.mark.parametrize(
    ("written", "entry"),
    [
        ("enter once", plan.Entry(kind="once")),
        ("enter every time", plan.Entry(kind="every")),
        ("enter again after 30 days", plan.Entry(kind="again", seconds=30 * DAY)),
    ],
)
def test_entries(written: str, entry: plan.Entry) -> None:
    source = f"playbook p:\n  start on signed_up\n  {written}\n  send email hello\n"
    assert compile_sources({"p.playbook": source}, shop()).plans["p"].entry == entry


def test_the_policy() -> None:
    source = """
policy:
  quiet hours 21:00 to 08:00
  quiet days saturday, sunday
  limit email to 3 per 7 days
  limit sms to 1 per 1 week
"""
    assert compile_sources({"p.playbook": source}, shop()).policy == plan.Policy(
        quiet_hours=("21:00", "08:00"),
        quiet_days=("saturday", "sunday"),
        limits=(
            plan.Limit(channel="email", count=3, seconds=7 * DAY),
            plan.Limit(channel="sms", count=1, seconds=7 * DAY),
        ),
    )
