"""A review of playbooks for people: the tree with head-counts, experiments, an edit and whom it meets, mail a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from cli.console import OUT, plural
from cli.reviewing_mail import tell_mail
from cli.reviewing_tree import tree
from cli.tables import table_with
from dsl.diff import Fate, render
from dsl.plan import HOLDOUT_ARM
from flows.report import Report, because
from flows.review.edits import Edit
from flows.review.expectations import Traffic, Trial
from flows.review.report import Review, Reviewed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.report import LeftBehind

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
            f"The store holds newer events: this is what it knew on {review.as_of:%Y-%m-%d %H:%M} UTC, rebuilt from "
            "its events, with nobody inside a playbook yet."
        )
        OUT.print(Text(told, style="yellow"), soft_wrap=True)
        OUT.print()
    for each in review.playbooks:
        tell_playbook(each, review)
    tell_mail(review)
    tell_left_behind(review.left_behind)
    OUT.print(Text("Nothing was sent, and nothing was kept.", style="dim"))


def tell_left_behind(found: Sequence[LeftBehind]) -> None:
    """Who waits in playbooks that are not there any more, a sentence each, and the way out."""
    for each in found:
        held = [plural(each.inside, "person", "people") + " inside"] if each.inside else []
        held += [plural(each.queued, "message") + " queued"] if each.queued else []
        told = (
            f"⚠ `{each.playbook}` is not in the project any more and has {' and '.join(held)}: they get nothing more."
        )
        OUT.print(Text(told, style="yellow"), soft_wrap=True)
    if found:
        hint = "  Hint: A new name makes a new playbook. Give it its old name, or keep the old one until all are out."
        OUT.print(Text(hint, style="cyan"), soft_wrap=True)


def tell_playbook(each: Reviewed, review: Review) -> None:
    """One playbook: who enters, the tree, experiments, the edit."""
    report, plan = each.report, each.plan
    at = f"  at {review.as_of:%Y-%m-%d %H:%M} UTC"
    OUT.print(Text.assemble((plan.name, "bold"), ("  version ", "dim"), report.version, (at, "dim")))
    if plan.about:
        OUT.print(Text(plan.about, style="italic"))
    if report.paused_at:
        OUT.print(
            Text(
                f"It is paused since {report.paused_at:%Y-%m-%d %H:%M} UTC: `winback resume {report.name}`.",
                style="yellow",
            )
        )
    entering = plural(report.entered, "person", "people")
    first = " (its first run: those who match already)" if report.first and report.entered else ""
    held = f", {report.held_out:,} of them held out" if report.held_out else ""
    OUT.print(f"Would enter: [bold]{entering}[/]{held}{first}.")
    OUT.print(f"Would leave: {report.left:,}. Inside now: {report.inside_before:,}.")
    if not review.rebuilt or each.traffic.per_day is not None:
        OUT.print(Text(_expected(each.traffic), style="dim"))
    OUT.print()
    OUT.print(tree(each, review.days))
    for trial in each.trials:
        OUT.print()
        OUT.print(experiment(trial))
    tell_outside(report)
    for sentence in report.trouble:
        OUT.print(Text(f"⚠ {sentence}", style="yellow"))
    if not review.rebuilt:
        tell_edit(each.edit)
    OUT.print()


def tell_outside(report: Report) -> None:
    """What would change in the CRM and in audiences, a line each."""
    if report.records or report.audiences:
        OUT.print()
    for each in report.records:
        what = f"{each.verb} {each.noun}" + (f" for {each.team}" if each.team else "")
        refused = ", ".join(f"{n:,} {because(why)}" for why, n in {**each.skipped, **each.delayed}.items())
        told = Text.assemble(("crm       ", "dim"), what, f": {each.made:,}")
        OUT.print(told.append(f"  not now: {refused}", style="dim") if refused else told)
    for audience in report.audiences:
        OUT.print(
            Text.assemble(
                ("audience  ", "dim"), audience.name, ": ", (f"+{audience.added:,}", "green"), " ",
                (f"-{audience.removed:,}", "red"), f", then {plural(audience.members, 'member')}",
            )
        )  # fmt: skip


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


# ── Experiments ───────────────────────────────────────────────────────────────────────────────────────────────────────
def experiment(trial: Trial) -> Text:
    """What it could see: `about 3,400 people an arm in 14 days: sees differences of 1.2 points or more from 5.0%`."""
    name = Text.assemble(("experiment ", "dim"), (trial.name, "bold"))
    if not trial.reach:
        return name.append(f": nobody who enters comes to it in {plural(trial.days, 'day')}.")
    sizes = [people for _, people in trial.arms]
    if max(sizes) - min(sizes) <= max(1, min(sizes) // 50):
        people = f"about {plural(round_off(min(sizes)), 'person', 'people')} an arm"
    else:
        people = "about " + ", ".join(f"{round_off(n):,} {called(arm)}" for arm, n in trial.arms)
    when = "of those who would enter now" if trial.only_now else f"in {plural(trial.days, 'day')}"
    told = name.append(f": {people} {when}")
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
        needs = f" To see a fifth more it needs {trial.needed:,} people an arm." if trial.needed else ""
        told.append("\n⚠ Too small for the expected traffic: it would miss even a doubling." + needs, style="yellow")
    return told


def called(arm: str) -> str:
    """The name of an arm for people."""
    return "held out" if arm == HOLDOUT_ARM else arm


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
