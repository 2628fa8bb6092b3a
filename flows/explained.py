"""The questions that a playbook or an audience asks of the store, as queries a person can read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from dsl.outline import label
from dsl.plan import Audience, Branch, Plan, StartWhen, Wait
from flows.expressions import expressions
from flows.project import Project
from flows.world import consent, lifecycle
from ledger.rows import inside, people_of, started
from profiles.select import Moment, alive, holds, people
from store.schema import enrollments, events, memberships, profiles


def questions(plan: Plan, project: Project, as_of: datetime) -> list[tuple[str, Select[Any]]]:
    """Each condition of the plan with the query that finds those for whom it holds."""
    shop = project.settings.shop
    at = expressions(plan, as_of=as_of, zone=shop.time_zone, consent=consent(project), lifecycle=lifecycle(project))
    found: list[tuple[str, Select[Any]]] = []
    if isinstance(plan.trigger, StartWhen):
        found.append(("start when", select(profiles.c.id).select_from(people()).where(at.matches())))
        asked = select(profiles.c.id).select_from(people())
    else:
        name = plan.trigger.event
        found.append((f"start on {name}", select(events.c.id).where(events.c.name == name, at.starts())))
        asked = select(started.c.id).select_from(people_of(started, started.c.profile_id)).where(started.c.name == name)
    if (admits := at.admits()) is not None:
        found.append(("only if", asked.where(admits)))
    mine = (enrollments.c.playbook == plan.name) & (enrollments.c.state == "active")
    for reason, condition in at.exits():
        found.append((f"leave {reason}", select(enrollments.c.id).select_from(inside()).where(mine, condition)))
    for step in plan.steps:
        if isinstance(step, Branch):
            for number, condition in enumerate(at.decisions()[step.id]):
                name = step.arms[number].label or label(step, shop.currency)
                found.append((name, select(enrollments.c.id).select_from(inside()).where(mine, condition)))
        elif isinstance(step, Wait) and step.condition is not None:
            asked_here = mine & (enrollments.c.step == step.id)
            ends = select(enrollments.c.id).select_from(inside()).where(asked_here, at.wakes()[step.id])
            found.append((label(step, shop.currency), ends))
    return found


def members(audience: Audience, project: Project, as_of: datetime) -> list[tuple[str, Select[Any]]]:
    """The query that finds who belongs to an audience; of one without rules, whom playbooks have added."""
    if audience.members is None:
        kept = (memberships.c.audience == audience.name) & memberships.c.member
        return [("added by playbooks", select(memberships.c.profile_id).where(kept))]
    moment = Moment(
        as_of=as_of, zone=project.settings.shop.time_zone, consent=consent(project), lifecycle=lifecycle(project)
    )
    belongs = alive() & holds(audience.members, moment)
    return [("members", select(profiles.c.id).select_from(people()).where(belongs))]
