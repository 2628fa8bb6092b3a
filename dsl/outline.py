"""A plan back into words, line by line as the marketer wrote it: for `explain`, `plan` and the graph of a flow run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dsl import plan
from dsl.conditions import Condition
from dsl.wording import duration, percent, say, where, written

__all__ = ["Line", "label", "outline", "say", "settings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    depth: int
    """Blocks around it; 0 outside of all."""
    id: str
    """Of the step that it belongs to: a fork's own for each of its ways."""
    text: str
    way: int | None = None
    """On the head of a fork's way its number, from 1; 0 is `otherwise`. None on steps."""


def outline(plan_: plan.Plan, currency: str = "USD") -> tuple[Line, ...]:
    """The steps as lines, each way of a fork or of an experiment with its own head. `currency` is for amounts."""
    blocks: dict[str, list[plan.Step]] = defaultdict(list)
    for step in plan_.steps:
        blocks[step.id.rpartition("/")[0]].append(step)
    return tuple(_block("", 0, blocks, currency))


def way_id(fork: plan.Branch | plan.Experiment, way: int) -> str:
    """The path of the block of a way, which the ids of the steps in it begin with: `if.2/1`, `if/otherwise`,
    `welcome_offer/ten_percent`. `way` is the number of the arm or variant, from 1; 0 is none of the arms."""
    if isinstance(fork, plan.Experiment):
        return f"{fork.id}/{fork.variants[way - 1].name}"
    return f"{fork.id}/{way or 'otherwise'}"


def label(step: plan.Step, currency: str) -> str:
    """One step in words: `send email cart_reminder`, `wait 2 days`, `if cart.total >= $50`, `experiment subject`."""
    match step:
        case plan.Send(channel=channel, template=template):
            return f"send {channel} {template}"
        case plan.Record(verb=verb, noun=noun, team=team):
            return f"{verb} {noun}" + (f" for {team}" if team else "")
        case plan.SetField(field=field, value=value):
            return f"set {field.name} = {written(value, currency)}"
        case plan.ChangeAudience(kind=kind, audience=audience):
            return f"{kind} {'to' if kind == 'add' else 'from'} audience {audience}"
        case plan.Enroll(playbook=playbook):
            return f"enroll in {playbook}"
        case plan.Wait(label=words):
            return f"wait {words}"
        case plan.Branch(arms=arms):
            return arms[0].label or f"if {say(arms[0].condition, currency)}"
        case plan.Experiment(name=name):
            return f"experiment {name}"
        case plan.Stop():
            return "stop"


def names(plan_: plan.Plan, currency: str) -> dict[str, str]:
    """The label of each step by its id; of those that read alike with the way that leads to them in brackets."""
    labels = {step.id: label(step, currency) for step in plan_.steps}
    alike = Counter(labels.values())
    return {
        id: f"{text} ({id.split('/')[-2]})" if alike[text] > 1 and "/" in id else text for id, text in labels.items()
    }


def settings(plan_: plan.Plan, currency: str) -> tuple[str, ...]:
    """The settings as the playbook's first lines, constants and segments by what they mean."""
    return tuple(_settings(plan_, currency))


def rules(audience: plan.Audience, currency: str) -> tuple[str, ...]:
    """The lines of an audience, constants and segments by what they mean."""
    return tuple(_rules(audience, currency))


def _rules(audience: plan.Audience, currency: str) -> Iterator[str]:
    if audience.about:
        yield f'about "{audience.about}"'
    if audience.schedule:
        yield f"run every {_schedule(audience.schedule)}"
    if audience.include:
        yield f"include when {say(audience.include, currency)}"
    if audience.exclude:
        yield f"exclude when {say(audience.exclude, currency)}"
    for name, value in audience.arguments:
        yield f"{name} = {written(value, currency)}"


def _block(path: str, depth: int, blocks: Mapping[str, list[plan.Step]], currency: str) -> Iterator[Line]:
    for step in blocks.get(path, ()):
        match step:
            case plan.Branch(id=id, arms=arms):
                for way, arm in enumerate(arms, 1):
                    block = way_id(step, way)
                    yield Line(depth=depth, id=id, text=arm.label, way=way)
                    yield from _block(block, depth + 1, blocks, currency)
                if (block := way_id(step, 0)) in blocks:
                    yield Line(depth=depth, id=id, text="otherwise", way=0)
                    yield from _block(block, depth + 1, blocks, currency)
            case plan.Experiment(id=id, name=name, variants=variants):
                yield Line(depth=depth, id=id, text=f"experiment {name}")
                for way, variant in enumerate(variants, 1):
                    head = "holdout" if variant.name == plan.HOLDOUT_ARM else f"variant {variant.name}"
                    block = way_id(step, way)
                    yield Line(depth=depth + 1, id=id, text=f"{head} {percent(variant.share)}", way=way)
                    yield from _block(block, depth + 2, blocks, currency)
            case _:
                yield Line(depth=depth, id=step.id, text=label(step, currency))


def _settings(plan_: plan.Plan, currency: str) -> Iterator[str]:
    if plan_.about:
        yield f'about "{plan_.about}"'
    if plan_.schedule:
        yield f"run every {_schedule(plan_.schedule)}"
    match plan_.trigger:
        case plan.StartWhen(condition=condition):
            yield f"start when {say(condition, currency)}"
        case plan.StartOn(event=event, where=asked):
            yield f"start on {_heard(event, asked, currency)}"
    if plan_.only_if:
        yield f"only if {say(plan_.only_if, currency)}"
    yield _entry(plan_.entry)
    for way_out in plan_.exits:
        match way_out:
            case plan.LeaveOn(event=event, where=asked):
                yield f"leave on {_heard(event, asked, currency)}"
            case plan.LeaveWhen(condition=condition):
                yield f"leave when {say(condition, currency)}"
    if goal := plan_.goal:
        yield f"goal {_heard(f'{goal.event} within {duration(goal.seconds)}', goal.where, currency)}"
    if plan_.holdout:
        yield f"holdout {percent(plan_.holdout)}"


def _schedule(schedule: plan.Schedule) -> str:
    if schedule.seconds is not None:
        return duration(schedule.seconds)
    return f"{schedule.weekday or 'day'} at {schedule.time}"


def _heard(event: str, asked: Condition | None, currency: str) -> str:
    return f"{event} {where(asked, currency)}" if asked else event


def _entry(entry: plan.Entry) -> str:
    match entry.kind:
        case "once":
            return "enter once"
        case "per":
            return f"enter once per event.{entry.per}"
        case "again":
            return f"enter again after {duration(entry.seconds or 0)}"
        case "every":
            return "enter every time"
