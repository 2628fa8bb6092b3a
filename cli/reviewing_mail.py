"""Messages of the coming days, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby

from rich.table import Table
from rich.text import Text

from cli.console import OUT, plural
from cli.tables import number, table_with
from dsl.plan import Limit
from dsl.wording import duration
from flows.review.mail import Day, Mail
from flows.review.report import Review

BAR = 12
"""The longest bar, in columns."""


def tell_mail(review: Review) -> None:
    """What goes out on each of the coming days, against the policy's limits."""
    OUT.print(Text("Messages of the coming days", style="bold"))
    OUT.print(
        Text(
            f"An estimate, like the numbers `in {plural(review.days, 'day')}`: today's are as told above, later ones "
            "as if nobody bought, left or changed. `newcomers`: messages to people who are expected to come in "
            f"meanwhile, by the traffic of the past{_missing(review)}.",
            style="dim",
        )
    )
    for each in review.mail:
        OUT.print()
        limits = ", ".join(limit_words(limit) for limit in each.limits) or "no limit"
        OUT.print(Text.assemble((each.channel, "bold"), (f"  {limits} a person", "dim")))
        if not any(day.messages or day.held_back or day.newcomers for day in each.days):
            OUT.print(Text("  none", style="dim"))
            continue
        OUT.print(mail_table(each))
    OUT.print()


def _missing(review: Review) -> str:
    if not review.unknown:
        return ""
    names = ", ".join(f"`{name}`" for name in review.unknown)
    return f"; not known for {names}"


def limit_words(limit: Limit) -> str:
    """`at most 3 per 7 days`"""
    return f"at most {limit.count:,} per {duration(limit.seconds)}"


def mail_table(mail: Mail) -> Table:
    """A row a day; days that are alike in one row."""
    table = table_with("  day")
    names = ["messages"]
    if later := any(day.newcomers for day in mail.days):
        names.append("newcomers")
    if mail.limits:
        names += ["held back", "at limit"]
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    most = max(day.messages + (day.newcomers or 0) for day in mail.days) or 1
    for alike in runs(mail.days):
        first, last = alike[0], alike[-1]
        each = f"{short(first.day)} – {short(last.day)}, each"
        when = f"{first.day:%a} {short(first.day)}" if first is last else each
        cells = [Text(f"  {when}"), number(first.messages)]
        if later:
            cells.append(number(first.newcomers or 0))
        if mail.limits:
            cells += [number(first.held_back, style="yellow"), number(first.at_limit)]
        table.add_row(*cells, bar(first.messages, first.newcomers or 0, most))
    return table


def runs(days: Sequence[Day]) -> Iterator[Sequence[Day]]:
    """Days that are alike together, from three on."""
    for _, found in groupby(days, key=lambda day: (day.messages, day.held_back, day.at_limit, day.newcomers)):
        alike = list(found)
        if len(alike) > 2:
            yield alike
        else:
            yield from ([day] for day in alike)


def short(day: date) -> str:
    """`4 Dec`"""
    return f"{day.day} {day:%b}"


def bar(people: int, newcomers: int, most: int) -> Text:
    """Messages of a day, those to newcomers lighter."""
    whole = round(BAR * (people + newcomers) / most)
    first = min(whole, round(BAR * people / most))
    return Text.assemble(("█" * first, "cyan"), ("░" * (whole - first), "cyan"))
