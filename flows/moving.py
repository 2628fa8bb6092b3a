"""Moving the people of a playbook on, with all that its steps need: for a tick, and for a look ahead."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from dsl.plan import Enroll, Plan
from flows.expressions import Expressions, expressions
from flows.world import World
from ledger import plans as registry
from ledger.advance import Advanced, advance
from store.engine import write


def asked(world: World, plan: Plan, as_of: datetime) -> Expressions:
    """The plan's conditions in this world at `as_of`."""
    return expressions(plan, as_of=as_of, zone=world.zone, consent=world.consent, lifecycle=world.lifecycle)


def register_joined(world: World, plans: Iterable[Plan], as_of: datetime) -> list[str]:
    """Make known the playbooks that steps of `plans` enroll people in. Returns those that the project does not have."""
    names = sorted({step.playbook for plan in plans for step in plan.steps if isinstance(step, Enroll)})
    there = [world.plans[name] for name in names if name in world.plans]
    if there:
        with write(world.store) as connection:
            for plan in there:
                registry.register(connection, plan, as_of)
    return [name for name in names if name not in world.plans]


def move_on(world: World, plan: Plan, as_of: datetime) -> Advanced:
    """Move everybody on `plan` who is due. Playbooks that it leads to are registered (`register_joined`)."""
    at = asked(world, plan, as_of)
    return advance(
        world.store, plan=plan, decisions=at.decisions(), arms=at.arms(), as_of=as_of, zone=world.zone,
        given=at.given(world.plans), wakes=at.wakes(), until=at.until(),
    )  # fmt: skip
