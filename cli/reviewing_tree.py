"""The tree of a playbook with head-counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.console import plural
from cli.tables import number, table_with
from dsl.outline import Line, outline, way_id
from dsl.plan import Branch, Experiment, Plan, Record, Send
from flows.report import because
from flows.review.edits import Edit
from flows.review.report import Reviewed

PASS_BY = "(none of these)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the tree with its numbers of people; of messages for sends, and of records for the CRM."""

    line: Line
    now: int
    ahead: int
    """In the days ahead."""
    share: str = ""
    """On the head of a way: of all who come to its fork, now and later."""
    note: str = ""
    """Below the line."""


def tree(each: Reviewed, days: int) -> Table:
    """The playbook as it is written: beside each step how many wait there already, how many pass it now and how many in
    the days ahead, beside each way of a fork how many take it."""
    inside = waiting(each.edit)
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
        table.add_row(*cells, number(row.now), number(row.ahead), row.share)
        if row.note:
            table.add_row(Padding(Text(row.note, style="dim"), (0, 0, 0, 2 * row.line.depth + 2)))
    return table


def rows(each: Reviewed) -> Iterator[Row]:
    """The lines with their numbers."""
    plan, report, ahead = each.plan, each.report, each.ahead
    sends = {send.step: send for send in report.sends}
    made = {record.step: record.made for record in report.records}
    for line in with_those_who_pass_by(plan):
        step = plan.step(line.id)
        if line.way is not None and isinstance(step, Branch | Experiment):
            now, later = report.people(plan, line), ahead.ways[way_id(step, line.way)]
            of = report.steps.get(step.id, 0) + ahead.steps[step.id]
            if now + later or line.text != PASS_BY:
                yield Row(line=line, now=now, ahead=later, share=share(now + later, of))
        elif isinstance(step, Send):
            send = sends.get(step.id)
            refused = {**send.skipped, **send.delayed} if send else {}
            told = ", ".join(f"{n:,} {because(reason)}" for reason, n in refused.items())
            later = each.sends_ahead.get(step.id, 0)
            yield Row(line=line, now=send.sent if send else 0, ahead=later, note=f"not now: {told}" if told else "")
        elif isinstance(step, Record):
            # Like messages: those held out come by and get none.
            yield Row(line=line, now=made.get(step.id, 0), ahead=each.sends_ahead.get(step.id, 0))
        else:
            yield Row(line=line, now=report.people(plan, line), ahead=ahead.steps[step.id])


def share(people: int, of: int) -> str:
    """`33%`; few are not none, and nearly all are not all."""
    if not people or not of:
        return ""
    told = f"{people / of:.0%}"
    return {"0%": "<1%", "100%": "100%" if people == of else ">99%"}.get(told, told)


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


def waiting(edit: Edit) -> dict[str, int]:
    """People inside on this version, by the wait at which they stand."""
    return {group.step: group.people for group in edit.waiting if group.version == edit.version}
