"""Moving the people of a playbook on, with all that its steps need: for a tick, and for a look ahead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from dsl.plan import ChangeAudience, Enroll, Plan
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


def void(world: World, plans: Iterable[Plan]) -> dict[str, str]:
    """Steps, by id, of older versions that change an audience which playbooks do not keep any more, and a sentence."""
    found: dict[str, str] = {}
    for step in (step for plan in plans for step in plan.steps if isinstance(step, ChangeAudience)):
        name, audience = step.audience, world.audiences.get(step.audience)
        if audience is not None and audience.include is not None:
            found[step.id] = f"Steps do not change audience `{name}` any more: its rules say who belongs to it."
        elif audience is None and step.kind == "add":  # who is taken out of it is not known outside any longer
            found[step.id] = f"Nobody is added to audience `{name}`: there is no such audience any more."
    return found


def move_on(world: World, plan: Plan, as_of: datetime) -> Advanced:
    """Move everybody on `plan` who is due. Playbooks that it leads to are registered (`register_joined`)."""
    at = asked(world, plan, as_of)
    return advance(
        world.store, plan=plan, decisions=at.decisions(), arms=at.arms(), as_of=as_of, zone=world.zone,
        given=replace(at.given(world.plans), void=frozenset(void(world, [plan]))), wakes=at.wakes(), until=at.until(),
        asks=at.asks(),
    )  # fmt: skip
