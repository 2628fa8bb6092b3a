"""A review of playbooks for people: the tree with head-counts, experiments, an edit and whom it meets, mail a day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.console import OUT, plural
from dsl.diff import Fate, render
from dsl.outline import Line, outline, way_id
from dsl.plan import Branch, Experiment, Limit, Plan, Send
from dsl.wording import duration
from flows.edits import Edit
from flows.expectations import Traffic, Trial
from flows.forecast import Mail
from flows.report import because
from flows.review import Review, Reviewed

PASS_BY = "(none of these)"
BAR = 16
"""The longest bar, in columns."""
FATES: dict[Fate, tuple[str, str]] = {
    "keep": ("green", "the same in the new text"),
    "move": ("yellow", "could move: the new text goes on in another way"),
    "gone": ("red", "cannot move: the new text has no such step"),
}
COLORS = {"+": "green", "-": "red", "~": "yellow", " ": "dim"}


def tell(review: Review) -> None:
    """The whole review on standard output."""
    if review.rebuilt:
        told = (
            f"The store holds newer events: this is what it knew on {review.as_of:%Y-%m-%d %H:%M} UTC, rebuilt from its "
            "events, with nobody inside a playbook yet."
        )
        OUT.print(Text(told, style="yellow"), soft_wrap=True)
        OUT.print()
    for each in review.playbooks:
        tell_playbook(each, review)
    tell_mail(review)
    OUT.print(Text("Nothing was sent, and nothing was kept.", style="dim"))


def tell_playbook(each: Reviewed, review: Review) -> None:
    """One playbook: who enters, the tree, experiments, the edit."""
    report, plan = each.report, each.plan
    at = f"  at {review.as_of:%Y-%m-%d %H:%M} UTC"
    OUT.print(Text.assemble((plan.name, "bold"), ("  version ", "dim"), report.version, (at, "dim")))
    if plan.about:
        OUT.print(Text(plan.about, style="italic"))
    entering = plural(report.entered, "person", "people")
    first = " (its first run: those who match already)" if report.first and report.entered else ""
    held = f", {report.held_out:,} of them held out" if report.held_out else ""
    others = f"Would leave: {report.left:,}. Inside now: {report.inside_before:,}."
    OUT.print(f"Would enter: [bold]{entering}[/]{held}{first}. {others}")
    OUT.print(Text(_expected(each.traffic), style="dim"))
    OUT.print()
    OUT.print(tree(each, review.days))
    for trial in each.trials:
        OUT.print()
        OUT.print(experiment(trial))
    for records in report.crm:
        OUT.print(f"CRM: {records.does}, for [bold]{plural(records.people, 'person', 'people')}[/]")
    for audience in report.audiences:
        OUT.print(
            f"Audience [bold]{audience.name}[/]: [green]+{audience.add:,}[/] [red]-{audience.remove:,}[/], "
            f"{plural(audience.members, 'member')}"
        )
    for sentence in report.trouble:
        OUT.print(Text(f"⚠ {sentence}", style="yellow"))
    if not review.rebuilt:
        tell_edit(each.edit)
    OUT.print()


def _expected(traffic: Traffic) -> str:
    if traffic.per_day is None:
        return "How many come in on a day is not known yet: it will be a day after the first run."
    days = f"the last {plural(max(1, round(traffic.days)), 'day')}"
    if not traffic.per_day:
        return f"Nobody would have come in in {days}."
    told = f"{traffic.per_day:,.1f}" if traffic.per_day < 10 else f"{traffic.per_day:,.0f}"
    if traffic.source == "ledger":
        return f"About {told} people come in on a day, by {days}."
    return f"About {told} people would come in on a day, by the events of {days} (`only if` not asked)."


# ── The tree ──────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the tree with its numbers of people, for sends of messages."""

    line: Line
    now: int
    ahead: int
    """In the days ahead."""
    note: str = ""


def tree(each: Reviewed, days: int) -> Table:
    """The playbook as it is written: beside each step how many wait there already, how many pass it now and how many in
    the days ahead, beside each way of a fork how many take it."""
    inside = waiting(each.plan, each.edit)
    table = table_with("step")
    if inside:
        table.add_column("wait here", justify="right", style="cyan", no_wrap=True)
    table.add_column("now", justify="right", no_wrap=True)
    table.add_column(f"in {plural(days, 'day')}", justify="right", style="dim", no_wrap=True)
    table.add_column("", style="dim")
    for row in rows(each):
        step = row.line.way is None
        text = Text(row.line.text, style="bold" if step and row.line.text.startswith("experiment ") else "")
        cells: list[Padding | Text] = [Padding(text, (0, 0, 0, 2 * row.line.depth))]
        if inside:
            cells.append(number(inside.get(row.line.id, 0), none="") if step else Text())
        table.add_row(*cells, number(row.now), number(row.ahead), row.note)
    return table


def rows(each: Reviewed) -> Iterator[Row]:
    """The lines with their numbers, and the share of each way among all who come to its fork, now and later."""
    plan, report, ahead = each.plan, each.report, each.ahead
    sends = {send.step: send for send in report.sends}
    for line in with_those_who_pass_by(plan):
        step = plan.step(line.id)
        if line.way is not None and isinstance(step, Branch | Experiment):
            now, later = report.people(plan, line), ahead.ways[way_id(step, line.way)]
            of = report.steps.get(step.id, 0) + ahead.steps[step.id]
            if now + later or line.text != PASS_BY:
                yield Row(line=line, now=now, ahead=later, note=f"{(now + later) / of:.0%}" if now + later else "")
        elif isinstance(step, Send):
            send = sends.get(step.id)
            refused = {**send.skipped, **send.delayed} if send else {}
            told = ", ".join(f"{n:,} {because(reason)}" for reason, n in refused.items())
            later = each.sends_ahead.get(step.id, 0)
            yield Row(line=line, now=send.sent if send else 0, ahead=later, note=f"not now: {told}" if told else "")
        else:
            yield Row(line=line, now=report.people(plan, line), ahead=ahead.steps[step.id])


def with_those_who_pass_by(plan: Plan) -> Iterator[Line]:
    """The outline, and behind each fork without `otherwise` a line for those who take none of its ways."""
    lines = outline(plan)
    whole = {line.id for line in lines if line.way == 0}
    open_forks: list[Line] = []
    for i, line in enumerate(lines):
        while open_forks and open_forks[-1].depth >= line.depth and open_forks[-1].id != line.id:
            yield open_forks.pop()
        if line.way == 1 and isinstance(plan.step(line.id), Branch) and line.id not in whole:
            open_forks.append(Line(depth=line.depth, id=line.id, text=PASS_BY, way=0))
        yield lines[i]
    yield from reversed(open_forks)


def waiting(plan: Plan, edit: Edit) -> dict[str, int]:
    """People inside on this version, by the line at which they are told: their wait, or where it is one of several the
    step after it."""
    found: dict[str, int] = {}
    for group in edit.waiting:
        if group.version == edit.version:
            at = group.waits[0] if group.waits else group.step
            found[at if any(step.id == at for step in plan.steps) else group.step] = group.people
    return found


# ── Experiments ───────────────────────────────────────────────────────────────────────────────────────────────────────
def experiment(trial: Trial) -> Text:
    """What it could see: `about 3,400 people an arm in 14 days: sees differences of 1.2 points or more from 5.0%`."""
    sizes = [people for _, people in trial.arms]
    if max(sizes) - min(sizes) <= max(1, min(sizes) // 50):
        people = f"about {round_off(min(sizes)):,} people an arm"
    else:
        people = "about " + ", ".join(f"{round_off(n):,} {name}" for name, n in trial.arms)
    when = "of those who would enter now" if trial.only_now else f"in {plural(trial.days, 'day')}"
    told = Text.assemble(("experiment ", "dim"), (trial.name, "bold"), f": {people} {when}")
    if trial.measure is None:
        return told.append(". It measures nothing: a line `measure EVENT within D` says what counts.")
    if trial.difference is None:
        told.append(": too few to see any difference")
    else:
        told.append(f": sees differences of {100 * trial.difference:.1f} points or more")
    told.append(f" from {trial.baseline:.1%} {trial.measure}")
    reasons = [
        f"{trial.baseline:.1%}: of {trial.baseline_people:,} people in the past"
        if trial.baseline_people
        else f"{trial.baseline:.0%} is assumed: the store cannot tell"
    ]
    if not trial.reach_known:
        reasons.append("as if everybody who enters came to it")
    elif trial.reach < 0.995:
        reasons.append(f"{trial.reach:.0%} of those who enter come to it")
    told.append(f" ({'; '.join(reasons)}).", style="dim")
    if trial.warning:
        told.append(f"\n⚠ {trial.warning}", style="yellow")
    return told


def round_off(people: int) -> int:
    """Two leading figures: an estimate does not know more."""
    digits = max(0, len(str(people)) - 2)
    return round(people, -digits) if digits else people


# ── The edit ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def tell_edit(edit: Edit) -> None:
    """What changed since the playbook last ran, and who is inside on older versions."""
    if edit.changes:
        OUT.print()
        OUT.print(Text.assemble("Edited since version ", (edit.since or "", "bold"), ":"))
        for line in render(edit.changes):
            OUT.print(Text(f"  {line}", style=COLORS.get(line[:1], "")))
    if not edit.older:
        return
    people = sum(group.people for group in edit.older)
    OUT.print()
    stay = (
        "person is inside on an older version and stays"
        if people == 1
        else "people are inside on older versions and stay"
    )
    OUT.print(f"[bold]{people:,}[/] {stay} on it. Where they wait, and what the new text has there:")
    table = table_with("  version")
    table.add_column("where")
    table.add_column("people", justify="right", no_wrap=True)
    table.add_column("")
    for group in edit.older:
        color, words = FATES[group.fate]
        table.add_row(
            Text(f"  {group.version[:8]}", style="dim"), group.text, f"{group.people:,}", Text(words, style=color)
        )
    OUT.print(table)


# ── Mail ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
def tell_mail(review: Review) -> None:
    """What goes out on each of the coming days, against the policy's limits."""
    OUT.print(Text("Messages of the coming days", style="bold"))
    OUT.print(
        Text(
            f"An estimate, like the numbers `in {plural(review.days, 'day')}`: today's are as told above, later ones as "
            "if nobody bought, left or changed. `newcomers`: messages to people who are expected to come in meanwhile, "
            f"by the traffic of the past{_missing(review)}.",
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
    for _, days in groupby(mail.days, key=lambda day: (day.messages, day.held_back, day.at_limit, day.newcomers)):
        first, *_, last = (alike := list(days))[0], alike[-1]
        when = f"{first.day:%a} {short(first.day)}" if first is last else f"{short(first.day)} – {short(last.day)}"
        cells = [Text(f"  {when}"), number(first.messages)]
        if later:
            cells.append(number(first.newcomers or 0))
        if mail.limits:
            cells += [number(first.held_back, style="yellow"), number(first.at_limit)]
        table.add_row(*cells, bar(first.messages, first.newcomers or 0, most))
    return table


def short(day: date) -> str:
    """`4 Dec`"""
    return f"{day.day} {day:%b}"


def bar(people: int, newcomers: int, most: int) -> Text:
    """Messages of a day, those to newcomers lighter."""
    whole = round(BAR * (people + newcomers) / most)
    first = min(whole, round(BAR * people / most))
    return Text.assemble(("█" * first, "cyan"), ("░" * (whole - first), "cyan"))


def table_with(first: str) -> Table:
    """A table without lines, whose first column is headed so."""
    table = Table(box=None, pad_edge=False, show_header=True, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column(first)
    return table


def number(count: int, *, style: str = "", none: str = "·") -> Text:
    """`1,200`; nobody is a dot, which does not catch the eye."""
    return Text(f"{count:,}", style=style) if count else Text(none, style="dim")
