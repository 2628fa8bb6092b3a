"""Plans by hand and by chance, and a plain interpreter of them."""

from __future__ import annotations

import random

from dsl.conditions import Field, Known
from dsl.plan import Arm, Branch, Entry, Experiment, Plan, Send, StartWhen, Step, Stop, Variant, Wait
from dsl.types import Type

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


def random_plan(chance: random.Random, depth: int = 3) -> Plan:
    """Blocks of sends, waits, branches that join again, experiments and stops, as the compiler lowers them."""
    steps: list[Step] = []
    kinds = ["send", "wait", "stop", "branch", "branch", "experiment"]

    def block(after: str | None, depth: int) -> str | None:
        """Adds a block whose last steps lead to `after`; returns where it begins."""
        for _ in range(chance.randrange(4)):
            at = len(steps)
            id = f"s{at}"
            match chance.choice(kinds if depth else kinds[:2]):
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
