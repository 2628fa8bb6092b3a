"""Plans by hand and by chance, and a plain interpreter of them."""

from __future__ import annotations

import random

from dsl.conditions import Constant, Field, Known
from dsl.plan import (
    Arm,
    Branch,
    ChangeAudience,
    Enroll,
    Entry,
    Experiment,
    Plan,
    Record,
    Send,
    SetField,
    StartWhen,
    Step,
    Stop,
    Variant,
    Wait,
)
from dsl.types import Type

TIER = Field(scope="profile", name="tier", type=Type.TEXT)
ANY = Known(field=Field(scope="profile", name="email", type=Type.TEXT))


def make(*steps: Step, name: str = "p") -> Plan:
    return Plan(
        name=name, about="", schedule=None, trigger=StartWhen(condition=ANY), only_if=None, entry=Entry(kind="once"),
        exits=(), goal=None, holdout=0.0, steps=steps,
    )  # fmt: skip


def send(id: str, next: str | None = None) -> Send:
    return Send(id=id, channel="email", template=id, arguments=(), next=next)


def branch(id: str, arms: list[str | None], next: str | None) -> Branch:
    return Branch(id=id, arms=tuple(Arm(condition=ANY, label="", next=arm) for arm in arms), next=next)


def act(chance: random.Random, id: str, next: str | None) -> Step:
    """A step that acts otherwise than by sending."""
    kinds: tuple[Step, ...] = (
        Record(id=id, verb="create", noun="task", team="sales", arguments=(), next=next),
        SetField(id=id, field=TIER, value=Constant(type=Type.TEXT, value="gold"), next=next),
        ChangeAudience(id=id, kind="add", audience="lapsed", next=next),
        Enroll(id=id, playbook="other", next=next),
    )
    return chance.choice(kinds)


def stand(chance: random.Random, id: str, next: str | None) -> Wait:
    """A wait until a field, or for something to happen."""
    if chance.randrange(2):
        return Wait(id=id, field=Field(scope="profile", name="birthday", type=Type.DATE), offset=-86_400, next=next)
    return Wait(id=id, condition=ANY, seconds=86_400, next=next)


def random_plan(chance: random.Random, depth: int = 3, *, every_form: bool = False) -> Plan:
    """Blocks of sends, waits, branches that join again, experiments and stops, as the compiler lowers them; with
    `every_form` also of the steps that write, record, enroll, and wait for things."""
    steps: list[Step] = []
    kinds = ["send", "wait", "stop", "branch", "branch", "experiment"]

    def block(after: str | None, depth: int) -> str | None:
        """Adds a block whose last steps lead to `after`; returns where it begins."""
        for _ in range(chance.randrange(4)):
            at = len(steps)
            id = f"s{at}"
            match chance.choice((kinds if depth else kinds[:2]) + (["act", "stand"] if every_form else [])):
                case "act":
                    steps.append(act(chance, id, after))
                case "stand":
                    steps.append(stand(chance, id, after))
                case "send":
                    steps.append(send(id, after))
                case "wait":
                    steps.append(Wait(id=id, seconds=60 * chance.randrange(3), next=after))
                case "stop":
                    steps.append(Stop(id=id))
                case "branch":
                    steps.append(Stop(id=id))
                    arms = [block(after, depth - 1) for _ in range(chance.randrange(1, 4))]
                    steps[at] = branch(id, arms, block(after, depth - 1))
                case _:
                    steps.append(Stop(id=id))
                    arms = [block(after, depth - 1) for _ in range(chance.randrange(1, 4))]
                    variants = tuple(Variant(name=str(i), share=1.0, next=arm) for i, arm in enumerate(arms))
                    steps[at] = Experiment(id=id, name=id, variants=variants)
            after = id
        return after

    first = block(None, depth)
    if first is None:
        return make()
    steps.sort(key=lambda step: step.id != first)
    return make(*steps)


def choose(chance: random.Random, plan: Plan) -> dict[str, int]:
    found = {}
    for step in plan.steps:
        match step:
            case Branch():
                found[step.id] = chance.randrange(len(step.arms) + 1)
            case Experiment():
                found[step.id] = chance.randrange(len(step.variants)) + 1
    return found


def interpret(plan: Plan, choices: dict[str, int]) -> tuple[list[str], str]:
    """One step after the other, waits passed over: what the regions must come to."""
    taken, at = [], plan.first
    while at is not None:
        step = plan.step(at)
        taken.append(at)
        match step:
            case Stop():
                return taken, "stop"
            case Branch():
                at = ([step.next] + [arm.next for arm in step.arms])[choices[at]]
            case Experiment():
                at = step.variants[choices[at] - 1].next
            case _:
                at = step.next
    return taken, "end"
