"""The picture of a playbook: which steps come before which."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.plan import Acting, Branch, Experiment, Plan, Step, Wait


def after(step: Step) -> Iterator[str]:
    """The ids of the steps that may come next."""
    match step:
        case _ if isinstance(step, Acting | Wait):
            if step.next is not None:
                yield step.next
        case Branch(arms=arms, next=otherwise):
            yield from (way for way in (*(arm.next for arm in arms), otherwise) if way is not None)
        case Experiment(variants=variants):
            yield from (variant.next for variant in variants if variant.next is not None)


def before(plan: Plan) -> dict[str, list[str]]:
    """For each step of the plan the ids of those that may come just before it, in the order of the plan."""
    found: dict[str, list[str]] = {step.id: [] for step in plan.steps}
    for step in plan.steps:
        for following in dict.fromkeys(after(step)):
            found[following].append(step.id)
    return found
