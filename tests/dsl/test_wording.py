"""Conditions and plans in words: what is said, read again, means the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl import conditions as c
from dsl import outline as outlines
from dsl import plan
from dsl.compile import compile_sources
from dsl.conditions import Condition, Constant, Field
from dsl.outline import Line, label, outline, say
from dsl.types import Type
from dsl.wording import duration, money, number
from tests.dsl.shop import shop

PLANS = Path(__file__).parents[1] / "plans"
DAY = 86_400

TEXT = st.text("abc XYZé#:()0", max_size=8).map(lambda text: Constant(type=Type.TEXT, value=text))
NUMBER = st.one_of(st.integers(0, 10**9), st.integers(1, 9999).map(lambda n: n / 100)).map(
    lambda n: Constant(type=Type.NUMBER, value=int(n) if n == int(n) else n)
)
MONEY = st.integers(0, 10**9).map(lambda n: Constant(type=Type.MONEY, value=n))
SECONDS = st.one_of(
    st.integers(1, 90).map(lambda n: n * 60),
    st.integers(1, 90).map(lambda n: n * 3600),
    st.integers(1, 900).map(lambda n: n * DAY),
)
DATE = st.dates().map(lambda day: day.isoformat())
PROFILE = {Type.TEXT: "city", Type.NUMBER: "cart.count", Type.MONEY: "cart.total", Type.TIMESTAMP: "created_at"}
PROPERTY = {Type.TEXT: "coupon", Type.MONEY: "total"}


def fields(scope: str, kind: Type) -> Field:
    if scope == "property":
        return Field(scope="property", name=PROPERTY[kind], type=kind)
    return Field(scope="profile", name=PROFILE[kind], type=kind)


def on_fields(scope: str) -> st.SearchStrategy[Condition]:
    text, amount = fields(scope, Type.TEXT), fields(scope, Type.MONEY)
    is_or_not = st.sampled_from(["is", "is not"])
    order = st.sampled_from([">", ">=", "<", "<="])
    options: list[st.SearchStrategy[Condition]] = [
        st.builds(c.Compare, field=st.just(text), operator=is_or_not, value=TEXT),
        st.builds(c.Compare, field=st.just(amount), operator=is_or_not | order, value=MONEY),
        st.builds(c.OneOf, field=st.just(text), values=st.lists(TEXT, min_size=1, max_size=3).map(tuple)),
        st.just(c.Known(field=text)),
        st.just(c.Not(condition=c.Known(field=text))),
        st.builds(
            c.Contains,
            field=st.just(text),
            kind=st.sampled_from(["starts_with", "contains"]),
            text=TEXT.map(lambda constant: str(constant.value)),
        ),
    ]
    if scope == "profile":
        at, count = fields(scope, Type.TIMESTAMP), fields(scope, Type.NUMBER)
        options += [
            st.builds(c.Compare, field=st.just(count), operator=is_or_not | order, value=NUMBER),
            st.builds(c.Recency, field=st.just(at), kind=st.sampled_from(["ago", "last", "next"]), seconds=SECONDS),
            st.builds(c.Calendar, field=st.just(at), kind=st.sampled_from(["before", "after"]), day=DATE),
        ]
    return st.one_of(options)


def joined(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    """And, or and not as the parser nests them: brackets are kept."""
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        several.map(lambda parts: c.AllOf(conditions=parts)),
        several.map(lambda parts: c.AnyOf(conditions=parts)),
        inner.map(lambda part: c.Not(condition=part)),
    )


WHERES = st.recursive(on_fields("property"), joined, max_leaves=4)
WINDOWS = st.one_of(
    st.builds(c.Window, kind=st.sampled_from(["last", "before"]), seconds=SECONDS),
    st.just(c.Window(kind="entry")),
    st.lists(DATE, min_size=2, max_size=2).map(lambda days: c.Window(kind="between", start=min(days), end=max(days))),
)
COUNTS = st.sampled_from([(1, None), (0, 0), (3, None), (0, 4), (5, 5)])
EVENTS = st.builds(
    lambda count, window, where: c.HasEvent(
        event="order_completed", least=count[0], most=count[1], window=window, where=where
    ),
    COUNTS,
    st.none() | WINDOWS,
    st.none() | WHERES,
)
CONDITIONS = st.recursive(
    on_fields("profile")
    | EVENTS
    | st.builds(
        c.CanReceive, channel=st.sampled_from(["sms", "email"]), topic=st.sampled_from(["marketing", "offers"])
    ),
    joined,
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(CONDITIONS)
def test_what_is_said_is_read_as_it_was_meant(condition: Condition) -> None:
    said = say(condition, "USD")
    compiled = compile_sources({"p.playbook": f"segment asked when {said}\n"}, shop())
    wrong = [problem for problem in compiled.problems if problem.severity == "error"]  # it may never be true
    assert wrong == [], said
    assert compiled.segments["asked"] == condition, said


def test_conditions_in_words() -> None:
    asked = c.AnyOf(
        conditions=(
            c.Not(condition=c.AllOf(conditions=(c.Known(field=fields("profile", Type.TEXT)),) * 2)),
            c.HasEvent(
                event="order_completed",
                least=0,
                most=0,
                window=c.Window(kind="last", seconds=90 * DAY),
                where=c.Compare(
                    field=fields("property", Type.MONEY),
                    operator=">=",
                    value=Field(scope="event", name="total", type=Type.MONEY),
                ),
            ),
        )
    )
    assert say(asked, "USD") == (
        "not (city is known and city is known) or has no order_completed in the last 90 days where total >= event.total"
    )


@pytest.mark.parametrize(
    ("hundredths", "currency", "said"),
    [(5000, "USD", "$50"), (990, "EUR", "€9.90"), (125_000_05, "GBP", "£125,000.05"), (5000, "PLN", "50 PLN")],
)
def test_money(hundredths: int, currency: str, said: str) -> None:
    assert money(hundredths, currency) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(60, "1 minute"), (5400, "90 minutes"), (36 * 3600, "36 hours"), (14 * DAY, "14 days")]
)
def test_lengths_of_time(seconds: int, said: str) -> None:
    assert duration(seconds) == said


def test_numbers_have_no_exponent() -> None:
    assert [number(each) for each in (3, 2.5, 1e15, 0.00001)] == ["3", "2.5", "1000000000000000", "0.00001"]


def abandoned_cart() -> plan.Plan:
    source = (PLANS / "abandoned_cart.playbook").read_text(encoding="utf-8")
    return compile_sources({"p.playbook": source}, shop()).plans["abandoned_cart"]


def test_the_outline_reads_as_the_playbook() -> None:
    assert outline(abandoned_cart()) == (
        Line(depth=0, id="subject_line", text="experiment subject_line"),
        Line(depth=1, id="subject_line", text="variant plain 45%", way=1),
        Line(depth=2, id="subject_line/plain/send:cart", text="send email cart"),
        Line(depth=1, id="subject_line", text="variant offer 45%", way=2),
        Line(depth=2, id="subject_line/offer/if", text="if cart.total >= $50", way=1),
        Line(depth=3, id="subject_line/offer/if/1/send:cart", text="send email cart"),
        Line(depth=2, id="subject_line/offer/if", text="otherwise", way=0),
        Line(depth=3, id="subject_line/offer/if/otherwise/send:cart", text="send email cart"),
        Line(depth=1, id="subject_line", text="holdout 10%", way=3),
        Line(depth=0, id="wait:1-day", text="wait 1 day"),
        Line(depth=0, id="send:cart", text="send email cart"),
        Line(depth=0, id="wait:2-days", text="wait 2 days"),
        Line(depth=0, id="wait:until-10:00", text="wait until 10:00"),
        Line(depth=0, id="if", text="if can receive sms", way=1),
        Line(depth=1, id="if/1/send:last_call", text="send sms last_call"),
        Line(
            depth=0,
            id="if",
            text='otherwise if in segment reachable and not (cart.count > 9 or city is "Oslo")',
            way=2,
        ),
        Line(depth=1, id="if/2/send:cart", text="send email cart"),
    )


def test_settings_in_words() -> None:
    assert outlines.settings(abandoned_cart(), "USD") == (
        'about "Bring back a cart left alone for a day."',
        "run every 15 minutes",
        "start when cart.updated_at is more than 1 day ago"
        " and cart.updated_at is in the last 7 days and cart.total > $0",
        "only if can receive email or can receive sms",
        "enter again after 14 days",
        "leave on order_completed",
        "goal order_completed within 7 days",
        "holdout 5%",
    )


@pytest.mark.parametrize("name", ["abandoned_cart", "after_an_order"])
def test_outline_and_settings_are_a_playbook_again(name: str) -> None:
    """Read again they give the same journey: the same steps, questions and edges. Arguments are not in an outline."""
    source = (PLANS / f"{name}.playbook").read_text(encoding="utf-8")
    compiled = compile_sources({"p.playbook": source}, shop())
    made = compiled.plans[name]
    catalog = replace(compiled.catalog, templates={}, templates_given=False)
    text = f"playbook {name}:\n" + "".join(f"  {line}\n" for line in outlines.settings(made, "USD"))
    if name == "abandoned_cart":
        text = "segment reachable when can receive email or can receive sms\n" + text
    for line in outline(made):
        opens = line.way is not None or line.text.startswith("experiment")
        if line.text.startswith("holdout"):
            opens = False
        text += "  " * (line.depth + 1) + line.text + (":" if opens else "") + "\n"
    again = compile_sources({"p.playbook": text}, catalog)
    assert again.ok, again.problems
    assert outline(again.plans[name]) == outline(made)
    bare = [replace(s, arguments=()) if isinstance(s, plan.Send) else s for s in made.steps]
    bare = [replace(s, measure=None) if isinstance(s, plan.Experiment) else s for s in bare]
    assert list(again.plans[name].steps) == bare
    assert replace(again.plans[name], steps=()) == replace(made, steps=())


def test_labels_of_steps() -> None:
    made = abandoned_cart()
    assert label(made.step("if"), "USD") == "if can receive sms"
    assert label(made.step("subject_line"), "USD") == "experiment subject_line"
    second = plan.Wait(
        id="if/1/wait:until-thursday-10:00.2", label="until thursday 10:00", next=None, time="10:00", weekday="thursday"
    )
    assert label(second, "USD") == "wait until thursday 10:00"
    assert label(plan.Stop(id="stop"), "USD") == "stop"
