"""Each form of the language becomes its node, in its place."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest

from dsl import syntax
from dsl.compile import compile_sources
from dsl.diagnostics import Span
from dsl.parser import parse
from dsl.standard import standard_catalog

HERE = Span(file="x", line=1, column=1, end_line=1, end_column=1)
"""Nodes compare without their places."""


def word(text: str) -> syntax.Word:
    return syntax.Word(span=HERE, text=text)


def duration(count: int, unit: syntax.Unit) -> syntax.Duration:
    return syntax.Duration(span=HERE, count=count, unit=unit)


def money(amount: str, currency: str = "$") -> syntax.Money:
    return syntax.Money(span=HERE, amount=Decimal(amount), currency=currency)


def number(amount: str) -> syntax.Number:
    return syntax.Number(span=HERE, amount=Decimal(amount))


def percent(amount: str) -> syntax.Percent:
    return syntax.Percent(span=HERE, amount=Decimal(amount))


def clock(hour: int, minute: int = 0) -> syntax.Clock:
    return syntax.Clock(span=HERE, value=time(hour, minute))


def day(text: str) -> syntax.Day:
    return syntax.Day(span=HERE, value=date.fromisoformat(text))


def text(value: str) -> syntax.Text:
    return syntax.Text(span=HERE, value=value)


def known(name: str) -> syntax.Known:
    return syntax.Known(span=HERE, field=word(name))


def has(event: str, **parts: Any) -> syntax.HasEvent:
    return syntax.HasEvent(span=HERE, event=word(event), **parts)


def declarations(source: str) -> tuple[syntax.Declaration, ...]:
    file, told = parse(source, "x.playbook")
    assert told == ()
    return file.declarations


def condition(source: str) -> syntax.Condition:
    (segment,) = declarations(f"segment s when {source}")
    assert isinstance(segment, syntax.Segment)
    return segment.condition


def lines(*source: str) -> tuple[Any, ...]:
    (playbook,) = declarations("playbook x:\n" + "".join(f"  {line}\n" for line in source))
    assert isinstance(playbook, syntax.Playbook)
    assert playbook.name == word("x")
    return playbook.lines


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("$50", money("50")),
        ("$1,000", money("1000")),
        ("€9.90", money("9.90", "€")),
        ("£5", money("5", "£")),
        ("50 PLN", money("50", "PLN")),
        ("250.50 PLN", money("250.5", "PLN")),
        ("3", number("3")),
        ("2.5", number("2.5")),
        ("10%", percent("10")),
        ("120%", percent("120")),
        ("2.5%", percent("2.5")),
        ("1 day", duration(1, "day")),
        ("36   hours", duration(36, "hour")),
        ("9:05", clock(9, 5)),
        ("2026-12-24", day("2026-12-24")),
        ('"a # b“c”"', text("a # b“c”")),
        ("yes", syntax.YesNo(span=HERE, value=True)),
        ("no", syntax.YesNo(span=HERE, value=False)),
        ("cart.total", word("cart.total")),
        ("event . order_id", word("event.order_id")),
    ],
)
def test_values(source: str, value: syntax.Value) -> None:
    assert declarations(f"let a = {source}") == (syntax.Let(span=HERE, name=word("a"), value=value),)


@pytest.mark.parametrize(
    ("source", "node"),
    [
        ("a.b >= $5", syntax.Compare(span=HERE, field=word("a.b"), operator=">=", value=money("5"))),
        ("a is hero", syntax.Equals(span=HERE, field=word("a"), value=word("hero"))),
        ("a is not 3", syntax.Equals(span=HERE, field=word("a"), value=number("3"), negated=True)),
        ("a is one of b, 3", syntax.OneOf(span=HERE, field=word("a"), values=(word("b"), number("3")))),
        ("a is known", known("a")),
        ("a is unknown", syntax.Known(span=HERE, field=word("a"), negated=True)),
        (
            "a is more than 2 days ago",
            syntax.Recency(span=HERE, field=word("a"), kind="ago", duration=duration(2, "day")),
        ),
        (
            "a is in the last 1 week",
            syntax.Recency(span=HERE, field=word("a"), kind="last", duration=duration(1, "week")),
        ),
        (
            "a is in the next 1 month",
            syntax.Recency(span=HERE, field=word("a"), kind="next", duration=duration(1, "month")),
        ),
        ("a is before 2026-01-02", syntax.Calendar(span=HERE, field=word("a"), kind="before", day=day("2026-01-02"))),
        ("a is after 2026-01-02", syntax.Calendar(span=HERE, field=word("a"), kind="after", day=day("2026-01-02"))),
        ('a starts with "x"', syntax.Contains(span=HERE, field=word("a"), kind="starts_with", text=text("x"))),
        ('a contains "x"', syntax.Contains(span=HERE, field=word("a"), kind="contains", text=text("x"))),
        ("has e", has("e")),
        ("has no e", has("e", negated=True)),
        ("has e at least 3 times", has("e", times=syntax.Times(span=HERE, kind="at_least", count=3))),
        ("has e at most 3 times", has("e", times=syntax.Times(span=HERE, kind="at_most", count=3))),
        ("has e exactly 0 times", has("e", times=syntax.Times(span=HERE, kind="exactly", count=0))),
        (
            "has e in the last 4 hours",
            has("e", window=syntax.Window(span=HERE, kind="last", duration=duration(4, "hour"))),
        ),
        ("has e since entry", has("e", window=syntax.Window(span=HERE, kind="entry"))),
        (
            "has e before 3 days ago",
            has("e", window=syntax.Window(span=HERE, kind="before", duration=duration(3, "day"))),
        ),
        (
            "has no e between 2026-11-01 and 2026-11-30 where b is known",
            has(
                "e",
                negated=True,
                window=syntax.Window(span=HERE, kind="between", start=day("2026-11-01"), end=day("2026-11-30")),
                where=known("b"),
            ),
        ),
        (
            "has e exactly 2 times since entry where (a is known or b is known)",
            has(
                "e",
                times=syntax.Times(span=HERE, kind="exactly", count=2),
                window=syntax.Window(span=HERE, kind="entry"),
                where=syntax.AnyOf(span=HERE, conditions=(known("a"), known("b"))),
            ),
        ),
        ("can receive email", syntax.CanReceive(span=HERE, channel=word("email"))),
        ("can receive sms about offers", syntax.CanReceive(span=HERE, channel=word("sms"), topic=word("offers"))),
        ("in segment loyal", syntax.InSegment(span=HERE, segment=word("loyal"))),
        ("not a is known", syntax.Not(span=HERE, condition=known("a"))),
        ("((a is known))", known("a")),
    ],
)
def test_conditions(source: str, node: syntax.Condition) -> None:
    assert condition(source) == node


def test_and_binds_tighter_than_or_and_not_tighter_than_both() -> None:
    found = condition("a is known or not b is known\n  and c is known and (d is known or e is known)")
    a, b, c, d, e = map(known, "abcde")
    both = syntax.AllOf(
        span=HERE,
        conditions=(syntax.Not(span=HERE, condition=b), c, syntax.AnyOf(span=HERE, conditions=(d, e))),
    )
    assert found == syntax.AnyOf(span=HERE, conditions=(a, both))


def test_a_where_ends_before_and() -> None:
    found = condition("has e where a is known and b is known")
    assert found == syntax.AllOf(span=HERE, conditions=(has("e", where=known("a")), known("b")))


def test_declarations() -> None:
    found = declarations(
        "field loyalty.tier is text\nevent booked:\n  starts_at is timestamp\n  id is text\n"
        "policy:\n  quiet hours 21:00 to 08:00\n  quiet days saturday, sunday\n  limit email to 3 per 7 days\n"
    )
    assert found == (
        syntax.FieldDeclaration(span=HERE, name=word("loyalty.tier"), type=word("text")),
        syntax.EventDeclaration(
            span=HERE,
            name=word("booked"),
            properties=(
                syntax.FieldDeclaration(span=HERE, name=word("starts_at"), type=word("timestamp")),
                syntax.FieldDeclaration(span=HERE, name=word("id"), type=word("text")),
            ),
        ),
        syntax.Policy(
            span=HERE,
            lines=(
                syntax.QuietHours(span=HERE, start=clock(21), end=clock(8)),
                syntax.QuietDays(span=HERE, days=(word("saturday"), word("sunday"))),
                syntax.Limit(span=HERE, channel=word("email"), count=3, per=duration(7, "day")),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("source", "node"),
    [
        ('about "x"', syntax.About(span=HERE, text=text("x"))),
        ("run every 15 minutes", syntax.RunEvery(span=HERE, duration=duration(15, "minute"))),
        ("run every day at 09:00", syntax.RunEvery(span=HERE, day=word("day"), clock=clock(9))),
        ("run every monday at 09:00", syntax.RunEvery(span=HERE, day=word("monday"), clock=clock(9))),
        ("start on e", syntax.Start(span=HERE, moment=syntax.OnEvent(span=HERE, event=word("e")))),
        (
            "start on e where a is known",
            syntax.Start(span=HERE, moment=syntax.OnEvent(span=HERE, event=word("e"), where=known("a"))),
        ),
        (
            "start when a is known",
            syntax.Start(span=HERE, moment=syntax.WhenCondition(span=HERE, condition=known("a"))),
        ),
        ("only if a is known", syntax.OnlyIf(span=HERE, condition=known("a"))),
        ("enter once", syntax.Enter(span=HERE, kind="once")),
        ("enter once per event.id", syntax.Enter(span=HERE, kind="per", per=word("event.id"))),
        ("enter again after 14 days", syntax.Enter(span=HERE, kind="again", after=duration(14, "day"))),
        ("enter every time", syntax.Enter(span=HERE, kind="every")),
        ("leave on e", syntax.Leave(span=HERE, moment=syntax.OnEvent(span=HERE, event=word("e")))),
        (
            "leave when a is known",
            syntax.Leave(span=HERE, moment=syntax.WhenCondition(span=HERE, condition=known("a"))),
        ),
        ("goal e within 7 days", syntax.Goal(span=HERE, event=word("e"), within=duration(7, "day"))),
        (
            "goal e within 7 days where a is known",
            syntax.Goal(span=HERE, event=word("e"), within=duration(7, "day"), where=known("a")),
        ),
        ("holdout 5%", syntax.Holdout(span=HERE, share=percent("5"))),
        ("send email hello", syntax.Send(span=HERE, channel=word("email"), template=word("hello"))),
        ("wait 2 days", syntax.Wait(span=HERE, what=syntax.WaitSpan(span=HERE, duration=duration(2, "day")))),
        ("wait until 09:00", syntax.Wait(span=HERE, what=syntax.WaitClock(span=HERE, clock=clock(9)))),
        (
            "wait until thursday 10:00",
            syntax.Wait(span=HERE, what=syntax.WaitClock(span=HERE, weekday=word("thursday"), clock=clock(10))),
        ),
        (
            "wait 1 day until 09:00",
            syntax.Wait(span=HERE, what=syntax.WaitClock(span=HERE, duration=duration(1, "day"), clock=clock(9))),
        ),
        ("stop", syntax.Stop(span=HERE)),
    ],
)
def test_settings_and_steps(source: str, node: syntax.Node) -> None:
    assert lines(source) == (node,)


def test_arguments() -> None:
    (send,) = lines("send email hello:", "  items = cart.items", "  discount = 10%")
    assert send.arguments == (
        syntax.Argument(span=HERE, name=word("items"), value=word("cart.items")),
        syntax.Argument(span=HERE, name=word("discount"), value=percent("10")),
    )


def test_branches() -> None:
    stop = syntax.Stop(span=HERE)
    source = (
        "if a is known:",
        "  stop",
        "otherwise if b is known:",
        "  stop",
        "  stop",
        "otherwise:",
        "  stop",
        "stop",
    )
    assert lines(*source) == (
        syntax.If(
            span=HERE,
            branches=(
                syntax.Branch(span=HERE, condition=known("a"), body=(stop,)),
                syntax.Branch(span=HERE, condition=known("b"), body=(stop, stop)),
            ),
            otherwise=(stop,),
        ),
        stop,
    )
    assert lines("if a is known:", "  stop")[0].otherwise is None


def test_experiments() -> None:
    (found,) = lines(
        "experiment offer:",
        "  measure e within 14 days where a is known",
        "  variant none 45%:",
        "    stop",
        "  holdout 10%",
    )
    assert found == syntax.Experiment(
        span=HERE,
        name=word("offer"),
        lines=(
            syntax.Measure(span=HERE, event=word("e"), within=duration(14, "day"), where=known("a")),
            syntax.Variant(span=HERE, name=word("none"), share=percent("45"), body=(syntax.Stop(span=HERE),)),
            syntax.Holdout(span=HERE, share=percent("10")),
        ),
    )


def test_a_node_reaches_from_its_first_word_to_its_last() -> None:
    file, _ = parse(
        "# above\n\nplaybook x:  # here\n  if a is known\n    or b > $5:\n    stop   # end\n\nlet y = 3\n", "p"
    )
    book, constant = file.declarations
    assert book.span == Span(file="p", line=3, column=1, end_line=6, end_column=9)
    assert constant.span == Span(file="p", line=8, column=1, end_line=8, end_column=10)
    assert isinstance(book, syntax.Playbook) and isinstance(branch := book.lines[0], syntax.If)
    assert branch.span == Span(file="p", line=4, column=3, end_line=6, end_column=9)
    assert branch.branches[0].condition.span == Span(file="p", line=4, column=6, end_line=5, end_column=14)


@pytest.mark.parametrize(
    "head",
    [
        "playbook a:\n  start on signed_up\n  enter once\n  send email hello:\n    x = 1\n    ",
        "playbook a:\n  start on signed_up\n  enter once\n  create task for sales:\n    x = 1\n    ",
        'scenario "s" for a:\n  given signed_up 1 day ago:\n    x = 1\n    ',
        'scenario "s" for a:\n  expect enter\n  ',
        "event quiz:\n  x is text\n  ",
        "policy:\n  quiet days sunday\n  ",
        "lifecycle:\n  hero when orders.count > 1\n  ",
        "audience a on facebook:\n  run every 1 hour\n  ",
    ],
)
@pytest.mark.parametrize("stray", ["elif x = 1\n", "otherwise:\n", "else if x\n", "otherwise if phone is known:\n"])
def test_a_stray_otherwise_among_other_lines_is_a_line_that_cannot_be_read(head: str, stray: str) -> None:
    result = compile_sources({"a.playbook": head + stray}, standard_catalog())
    assert any(problem.code.startswith("WB1") for problem in result.problems)
