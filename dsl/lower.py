"""Playbooks to plans: flat steps with ids made of names, each with the id of the step after it.

The rule of the ids. A step is called by what it does, behind the path of names that leads to it:

- `send:TEMPLATE`, `wait:WORDS` (the words as written, joined by hyphens: `wait:1-day`, `wait:until-10:00`), `stop`;
- `create:NOUN`, `update:contact`, `set:FIELD`, `add:AUDIENCE`, `remove:AUDIENCE`, `enroll:PLAYBOOK`;
- an experiment by its name, its variants' steps below `NAME/VARIANT/`;
- a fork `if`, the steps of its branches below `if/1/`, `if/2/`, … and `if/otherwise/`.

The second step of the same name in the same block gets `.2`, the third `.3`. So an id changes only when a step's own
words, a block around it, or a step of the same name before it in its block changes: a send put in anywhere else
leaves it as it is, and people who wait there stay where they are.
"""

from __future__ import annotations

import re
from collections import Counter

from dsl import plan, program
from dsl.conditions import Condition, Constant, Operand
from dsl.program import Asked, Heard

_ODD = re.compile(r"[^a-z0-9_.:]+")


def lower(playbook: program.Playbook) -> plan.Plan | None:
    """The plan, or None when a part of the playbook has no meaning: that has been told."""
    trigger, entry = _trigger(playbook), playbook.entry
    if trigger is None or entry is None or not _is_whole(playbook):
        return None
    return plan.Plan(
        name=playbook.name,
        about=playbook.about,
        schedule=playbook.schedule,
        trigger=trigger,
        only_if=_meaning(playbook.only_if),
        entry=entry,
        exits=tuple(_exit(each) for each in playbook.exits),
        goal=_goal(playbook.goal),
        holdout=playbook.holdout,
        steps=tuple(_block(playbook.body, "", None)),
    )


def lower_stages(stages: tuple[program.Stage, ...]) -> tuple[plan.Stage, ...]:
    """The lifecycle; empty when a stage of it has no meaning: that has been told."""
    if any(stage.asked is not None and stage.asked.meaning is None for stage in stages):
        return ()
    return tuple(plan.Stage(name=stage.name, condition=_meaning(stage.asked)) for stage in stages)


def lower_audience(audience: program.Audience) -> plan.Audience | None:
    """The audience, or None when a part of it has no meaning: that has been told."""
    is_whole = _stands(audience.include) and _stands(audience.exclude)
    if audience.connector is None or not is_whole or any(each.value is None for each in audience.arguments):
        return None
    return plan.Audience(
        name=audience.name,
        connector=audience.connector,
        about=audience.about,
        schedule=audience.schedule,
        include=_meaning(audience.include),
        exclude=_meaning(audience.exclude),
        arguments=tuple((each.name, each.value) for each in audience.arguments if isinstance(each.value, Constant)),
    )


def _trigger(playbook: program.Playbook) -> plan.StartOn | plan.StartWhen | None:
    match playbook:
        case program.Playbook(start_on=Heard(event=str(event), where=where)):
            return plan.StartOn(event=event, where=_meaning(where))
        case program.Playbook(start_when=Asked(meaning=meaning)) if meaning is not None:
            return plan.StartWhen(condition=meaning)
        case _:
            return None


def _exit(each: Heard | Asked) -> plan.LeaveOn | plan.LeaveWhen:
    if isinstance(each, Heard):
        return plan.LeaveOn(event=each.event or "", where=_meaning(each.where))
    if each.meaning is None:
        raise ValueError("a playbook with a broken `leave when` was lowered")
    return plan.LeaveWhen(condition=each.meaning)


def _goal(goal: Heard | None) -> plan.Goal | None:
    if goal is None or goal.event is None or goal.seconds is None:
        return None
    return plan.Goal(event=goal.event, seconds=goal.seconds, where=_meaning(goal.where))


def _meaning(asked: Asked | None) -> Condition | None:
    return asked.meaning if asked else None


# ── Steps ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
def _block(body: tuple[program.Step, ...], path: str, join: str | None) -> list[plan.Step]:
    """The steps of a block and of the blocks in it, in the order written; the last goes on at `join`."""
    ids = _ids(body, path)
    steps: list[plan.Step] = []
    for step, id, after in zip(body, ids, [*ids, join][1:], strict=True):
        steps += _step(step, id, after)
    return steps


def _step(step: program.Step, id: str, after: str | None) -> list[plan.Step]:
    match step:
        case program.Send(channel=channel, template=template, arguments=arguments):
            return [plan.Send(id=id, channel=channel or "", template=template, arguments=_given(arguments), next=after)]
        case program.Record(verb=verb, noun=noun, team=team, arguments=arguments):
            given = _given(arguments)
            return [plan.Record(id=id, verb=verb, noun=noun or "", team=team, arguments=given, next=after)]
        case program.SetField(field=field, value=value) if field is not None and value is not None:
            return [plan.SetField(id=id, field=field, value=value, next=after)]
        case program.ChangeAudience(kind=kind, audience=audience):
            return [plan.ChangeAudience(id=id, kind=kind, audience=audience or "", next=after)]
        case program.Enroll(playbook=other):
            return [plan.Enroll(id=id, playbook=other or "", next=after)]
        case program.Wait():
            return [_wait(step, id, after)]
        case program.Stop():
            return [plan.Stop(id=id)]
        case program.If():
            return _fork(step, id, after)
        case program.Experiment():
            return _experiment(step, id, after)
    raise ValueError("a playbook with a broken step was lowered")


def _given(arguments: tuple[program.Argument, ...]) -> tuple[tuple[str, Operand], ...]:
    return tuple((each.name, each.value) for each in arguments if each.value is not None)


def _wait(step: program.Wait, id: str, after: str | None) -> plan.Wait:
    return plan.Wait(
        id=id, label=step.words, next=after, seconds=step.seconds, days=step.days, time=step.time, weekday=step.weekday,
        field=step.field, offset=step.offset, condition=_meaning(step.asked), event=step.event,
    )  # fmt: skip


def _fork(step: program.If, id: str, after: str | None) -> list[plan.Step]:
    arms: list[plan.Arm] = []
    below: list[plan.Step] = []
    for number, arm in enumerate(step.arms, 1):
        inner = _block(arm.body, f"{id}/{number}/", after)
        below += inner
        if arm.asked is None or arm.asked.meaning is None:
            raise ValueError("a playbook with a broken condition was lowered")
        word = "if" if number == 1 else "otherwise if"
        arms.append(plan.Arm(condition=arm.asked.meaning, label=f"{word} {arm.asked.text}", next=_first(inner, after)))
    otherwise = _block(step.otherwise or (), f"{id}/otherwise/", after)
    return [plan.Branch(id=id, arms=tuple(arms), next=_first(otherwise, after)), *below, *otherwise]


def _experiment(step: program.Experiment, id: str, after: str | None) -> list[plan.Step]:
    arms: list[plan.Variant] = []
    below: list[plan.Step] = []
    for variant in step.variants:
        inner = _block(variant.body, f"{id}/{variant.name}/", after)
        below += inner
        arms.append(plan.Variant(name=variant.name, share=variant.share, next=_first(inner, after)))
    if step.holdout is not None:
        arms.append(plan.Variant(name=plan.HOLDOUT_ARM, share=step.holdout, next=after))
    return [
        plan.Experiment(id=id, name=step.name, variants=tuple(arms), measure=_goal(step.measure)),
        *below,
    ]


def _first(steps: list[plan.Step], after: str | None) -> str | None:
    return steps[0].id if steps else after


def _ids(body: tuple[program.Step, ...], path: str) -> list[str]:
    seen: Counter[str] = Counter()
    ids = []
    for step in body:
        name = _name(step)
        seen[name] += 1
        ids.append(f"{path}{name}" if seen[name] == 1 else f"{path}{name}.{seen[name]}")
    return ids


def _name(step: program.Step) -> str:
    match step:
        case program.Send(template=template):
            return f"send:{template}"
        case program.Record(verb=verb, noun=noun):
            return f"{verb}:{noun}"
        case program.SetField(field=field):
            return f"set:{field.name if field else ''}"
        case program.ChangeAudience(kind=kind, audience=audience):
            return f"{kind}:{audience}"
        case program.Enroll(playbook=other):
            return f"enroll:{other}"
        case program.Wait(words=words):
            return "wait:" + _ODD.sub("-", words).strip("-")[:80]
        case program.If():
            return "if"
        case program.Experiment(name=name):
            return name
        case program.Stop():
            return "stop"
        case program.Broken():
            return "broken"


# ── Wholeness ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def _is_whole(playbook: program.Playbook) -> bool:
    parts = (playbook.start_on, playbook.start_when, playbook.only_if, playbook.goal, *playbook.exits)
    return (
        all(_stands(part) for part in parts)
        and (playbook.goal is None or playbook.goal.seconds is not None)
        and all(_step_stands(step) for step in program.every_step(playbook.body))
    )


def _stands(part: Heard | Asked | None) -> bool:
    match part:
        case Asked(meaning=meaning):
            return meaning is not None
        case Heard(event=event, where=where):
            return event is not None and _stands(where)
        case None:
            return True


def _step_stands(step: program.Step) -> bool:
    match step:
        case program.Send(channel=channel, arguments=arguments):
            return channel is not None and all(each.value is not None for each in arguments)
        case program.Record(noun=noun, arguments=arguments):
            return noun is not None and all(each.value is not None for each in arguments)
        case program.SetField(field=field, value=value):
            return field is not None and value is not None
        case program.ChangeAudience(audience=audience):
            return audience is not None
        case program.Enroll(playbook=other):
            return other is not None
        case program.Wait(whole=whole):
            return whole
        case program.If(arms=arms):
            return all(arm.asked is not None and arm.asked.meaning is not None for arm in arms)
        case program.Experiment(measure=measure):
            return _stands(measure) and (measure is None or measure.seconds is not None)
        case program.Stop():
            return True
        case program.Broken():
            return False
