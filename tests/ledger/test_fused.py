"""What the fused SQL does to people is what a plain interpreter of the plan does, for plans made by chance."""

import random
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, select

from dsl.plan import Branch, Experiment, Plan, Send
from store.engine import write
from store.schema import enrollments, outbox, profiles
from tests.dsl.plans_by_chance import interpret, make, random_plan
from tests.ledger.shop import NOON, enter, go_on, people

PEOPLE = 12


def by_person(plan: Plan) -> tuple[dict[str, Any], dict[str, Any], dict[int, dict[str, int]]]:
    """Choices that differ by person: as SQL for branches, as SQL for experiments, and as numbers."""
    conditions: dict[str, list[ColumnElement[bool]]] = {}
    arms: dict[str, ColumnElement[int]] = {}
    choices: dict[int, dict[str, int]] = {person: {} for person in range(1, PEOPLE + 1)}
    for number, step in enumerate(plan.steps):
        factor = 7 + 4 * number
        match step:
            case Branch(arms=found):
                # Several arms may hold: the first counts.
                conditions[step.id] = [profiles.c.id * factor % (len(found) + 2) <= i for i in range(len(found))]
                for person in choices:
                    value = person * factor % (len(found) + 2)
                    choices[person][step.id] = value + 1 if value < len(found) else 0
            case Experiment(variants=variants):
                arms[step.id] = profiles.c.id * factor % len(variants) + 1
                for person in choices:
                    choices[person][step.id] = person * factor % len(variants) + 1
    return conditions, arms, choices


def test_the_fused_pass_is_the_plain_walk(engine: Engine) -> None:
    with write(engine) as connection:
        people(connection, PEOPLE)
    for seed in range(12 if engine.dialect.name == "sqlite" else 6):
        made = random_plan(random.Random(seed))
        plan = make(*made.steps, name=f"p{seed}")
        conditions, arms, choices = by_person(plan)
        enter(engine, plan, NOON)
        for minute in range(60):
            at = NOON + timedelta(minutes=minute)
            done = go_on(engine, plan, at, decisions=conditions, arms=arms, limit=5)
            if not done.counts and minute > 2:
                break
        with engine.connect() as connection:
            ended = {
                row.profile_id: (row.state, row.reason)
                for row in connection.execute(
                    select(enrollments.c["profile_id"], enrollments.c.state, enrollments.c.reason).where(
                        enrollments.c.playbook == plan.name
                    )
                )
            }
            sent: dict[int, list[str]] = {person: [] for person in choices}
            mine = select(outbox.c.profile_id, outbox.c.step).where(outbox.c.playbook == plan.name)
            for row in connection.execute(mine):
                sent[row.profile_id].append(row.step)
        for person, chosen in choices.items():
            steps, reason = interpret(plan, chosen)
            expected = [id for id in steps if isinstance(plan.step(id), Send)]
            assert sorted(sent[person]) == sorted(expected), f"plan {seed}, person {person}"
            assert ended[person] == ("done", reason), f"plan {seed}, person {person}"
