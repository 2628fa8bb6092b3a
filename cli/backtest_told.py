"""A backtest for people: a table by day, bars, and what history cannot tell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from cli.bars import axis, bars
from cli.console import OUT, plural, say, shown

if TYPE_CHECKING:
    from flows.backtest import Backtest
    from flows.played import Period, Played

MOST_REASONS = 5


def tell(made: Backtest, *, others: Sequence[str], chart: Path | None) -> None:
    """The whole answer. `others`: playbooks of the project that were not played."""
    first, *beside = made.played
    OUT.print(Text.assemble((first.plan.name, "bold"), ("  version ", "dim"), first.plan.digest), soft_wrap=True)
    OUT.print(made.heading, style="dim", soft_wrap=True)
    if first.plan.about:
        say(Text(first.plan.about, style="italic"))
    for sentence in _how(made, others):
        say(sentence)
    OUT.print()
    OUT.print(_table(first, made.period_days))
    OUT.print()
    for line in _bars(first, made.period_days):
        OUT.print(line, soft_wrap=True)
    OUT.print(_sends(first.total))
    for sentence in _sums(first):
        say(sentence)
    if beside:
        OUT.print()
        OUT.print(_beside(beside))
    for sentence in made.trouble:
        say(Text(f"⚠ {sentence}", style="yellow"))
    OUT.print("\n[bold]What history cannot tell[/]")
    for sentence in made.limits:
        say(Text(f"- {sentence}", style="yellow"), indent=2, hanging=2)
    if chart is not None:
        OUT.print(f"\nThe chart is in {shown(chart)}.", soft_wrap=True)
    OUT.print("[dim]Nothing was sent, and nothing was kept.[/]")


def _how(made: Backtest, others: Sequence[str]) -> list[str]:
    """What was played and how, in sentences."""
    from dsl.plan import Enroll, StartOn
    from flows.backtest import LONGEST

    first = made.played[0]
    told = []
    if made.span.cut is not None:
        told.append(f"[yellow]The store's events end at {made.span.end:%Y-%m-%d %H:%M} UTC, and so does this.[/]")
    asked = f" (its schedule says every {first.instead_of})" if first.instead_of else ""
    told.append(f"Run {first.runs:,} times, every {first.every}{asked}.")
    if (
        first.plan.schedule and (first.plan.schedule.seconds or 0) > LONGEST.total_seconds()
    ) and first.instead_of is None:
        told.append("Runs count from the start: with another time in --from they are at other hours.")
    if made.first_run:
        told.append("Those who matched at the start were let in, as in a first run.")
    elif isinstance(first.plan.trigger, StartOn):
        told.append("What happened before the start was taken as seen; --first-run lets in the day before.")
    else:
        matched = plural(first.seen, "person", "people")
        told.append(f"Matched at the start and taken as seen: {matched}; --first-run lets them in.")
    played = {one.plan.name for one in made.played}
    joined = {step.playbook for one in made.played for step in one.plan.steps if isinstance(step, Enroll)} - played
    if joined:
        names = ", ".join(f"`{name}`" for name in sorted(joined))
        told.append(f"[yellow]It enrolls in {names}, where nobody goes on here; --with plays it too.[/]")
    if others:
        told.append(
            "Played without the project's other playbooks, which compete for the limits on messages; --with all plays "
            "them too."
        )
    return told


def _table(played: Played, days: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", show_footer=True, footer_style="bold")
    total = played.total
    table.add_column("day" if days == 1 else "week from", footer="total")
    held, goal = played.plan.holdout > 0, played.plan.goal is not None
    columns = [("entered", "entered"), *([("held out", "held_out")] if held else []), ("sent", "sent"),
               ("not sent", "not_sent"), ("left", "left"), *([("goal", "goal")] if goal else [])]  # fmt: skip
    for name, key in columns:
        table.add_column(name, footer=f"{_number(total, key):,}", justify="right")
    for period in played.periods(days):
        cells = [_number(period, key) for _, key in columns]
        table.add_row(f"{period.start} {period.start:%a}", *(f"{n:,}" if n else "[dim]·[/]" for n in cells))
    return table


def _number(period: Period, key: str) -> int:
    match key:
        case "sent":
            return period.sent.total()
        case "not_sent":
            return period.not_sent.total()
        case "goal":
            return period.converted + period.converted_held_out
    return int(getattr(period, key))


def _bars(played: Played, days: int) -> list[Text]:
    periods = played.periods(days)
    room = OUT.width - 11
    wide = next((width for width in (3, 2) if width * len(periods) <= room), 1)
    lines = []
    panels = [("entered", "entered", "cyan"), ("sent", "messages", "green")]
    panels += [("goal", "reached the goal", "magenta")] if played.plan.goal else []
    for key, name, colour in panels:
        values = [_number(period, key) for period in periods]
        if any(values):
            lines.append(Text(f"{'':10}{name}", style="dim"))
            lines += [Text(line, style=colour) for line in bars(values, wide=wide)]
    if lines:
        dates = [f"{period.start:%b} {period.start.day}" for period in periods]
        lines += [Text(axis(dates, wide=wide), style="dim"), Text()]
    return lines


def _sends(total: Period) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("message")
    table.add_column("sent", justify="right")
    for (channel, template), n in total.sent.most_common():
        table.add_row(f"{channel} {template}", f"{n:,}")
    for noun, n in total.records.most_common():
        table.add_row(f"{noun} in the CRM", f"{n:,}")
    if not table.row_count:
        table.add_row("none", "0")
    return table


def _sums(played: Played) -> list[str]:
    """Rates and reasons, in sentences."""
    from dsl.wording import duration
    from flows.report import because

    total, told = played.total, []
    if total.not_sent:
        reasons = [f"{n:,} {because(code)}" for code, n in total.not_sent.most_common(MOST_REASONS)]
        more = total.not_sent.total() - sum(n for _, n in total.not_sent.most_common(MOST_REASONS))
        told.append(f"Not sent: {', '.join([*reasons, *([f'{more:,} for other reasons'] if more else [])])}.")
    treated = total.entered - total.held_out
    if treated:
        each = total.sent.total() / treated
        told.append(f"{each:.1f} messages a person who was not held out; {total.left / total.entered:.0%} left early.")
    if played.plan.goal is not None and total.entered:
        goal = f"Goal {played.plan.goal.event} within {duration(played.plan.goal.seconds)}: "
        goal += f"{total.converted:,} of {treated:,} ({total.converted / treated:.1%})" if treated else "nobody"
        if total.held_out:
            share = total.converted_held_out / total.held_out
            goal += f", and of those held out {total.converted_held_out:,} of {total.held_out:,} ({share:.1%})"
        told.append(goal + ".")
    if played.waiting or played.queued or played.undecided:
        open_ = [f"{played.waiting:,} inside"] + (
            [f"{plural(played.queued, 'message')} queued"] if played.queued else []
        )
        if played.undecided:
            open_.append(f"{played.undecided:,} may still reach the goal")
        told.append(f"When it ended: {', '.join(open_)}.")
    return told


def _beside(beside: Sequence[Played]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("played beside it")
    for name in ("entered", "sent", "not sent", "left", "goal"):
        table.add_column(name, justify="right")
    for one in beside:
        cells = (f"{_number(one.total, key):,}" for key in ("entered", "sent", "not_sent", "left", "goal"))
        table.add_row(one.plan.name, *cells)
    return table
