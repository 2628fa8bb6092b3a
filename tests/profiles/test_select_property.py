"""SQL on both stores and the second evaluator choose the same people, whatever they did and whatever is asked."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, insert, literal_column, select

from dsl.conditions import Condition, HasEvent
from profiles.select import Moment, alive, event_holds, holds, people
from store import schema
from store.clock import micros
from store.engine import write
from tests.profiles import worlds
from tests.reference import Now, Person
from tests.reference import holds as reference

SETTINGS = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
_TABLES = (schema.enrollments, schema.plans, schema.suppressions, schema.consents, schema.events, schema.traits, schema.profiles)


def fill(engine: Engine, those: list[Person], now: Now) -> None:
    """Makes the store hold these people, with ids from 1 on, and one enrollment each with its starting event."""
    rows: dict[Any, list[dict[str, Any]]] = {table: [] for table in reversed(_TABLES)}
    rows[schema.plans].append({"digest": "d", "playbook": "p", "body": {}, "created_at": 0})
    for id, person in enumerate(those, 1):
        rows[schema.profiles].append({"id": id, "bucket": id, "set_at": {}, **person.profile})
        if person.traits is not None:
            rows[schema.traits].append({"profile_id": id, **person.traits})
        started = [(f"{id}:start", "started", 0, person.start)]
        for key, name, at, properties in started + [
            (f"{id}:{i}", event.name, event.at, event.properties) for i, event in enumerate(person.events)
        ]:
            rows[schema.events].append(
                {"event_id": key, "body_hash": "", "profile_id": id, "name": name, "at": at, "received_at": at,
                 "properties": properties}
            )  # fmt: skip
        for (channel, topic), granted in person.consents.items():
            rows[schema.consents].append(
                {"profile_id": id, "channel": channel, "topic": topic, "granted": granted, "source": "", "at": 0}
            )
        rows[schema.enrollments].append(
            {"playbook": "p", "digest": "d", "profile_id": id, "holdout": False, "state": "active",
             "entered_at": person.entered_at}
        )  # fmt: skip
    rows[schema.suppressions] = [
        {"channel": channel, "address_hash": digest, "reason": "", "at": 0} for channel, digest in now.suppressions
    ]
    with write(engine) as conn:
        for table in _TABLES:
            conn.execute(delete(table))
        for table, values in rows.items():
            if values:
                conn.execute(insert(table), values)


@SETTINGS
@given(those=worlds.people, now=worlds.nows, asked=st.lists(worlds.conditions, min_size=3, max_size=8))
def test_the_same_people_as_the_reference(
    engine: Engine, those: list[Person], now: Now, asked: list[Condition]
) -> None:
    fill(engine, those, now)
    start = schema.events.alias("start")
    moment = Moment(
        as_of=now.as_of,
        zone=now.zone,
        consent=now.consent,
        entered_at=schema.enrollments.c.entered_at,
        event=start.c.properties,
    )
    answers = [holds(condition, moment) for condition in asked]
    source = (
        people()
        .join(schema.enrollments, schema.enrollments.c.profile_id == schema.profiles.c.id)
        .join(start, (start.c.profile_id == schema.profiles.c.id) & (start.c.name == "started"))
    )
    with engine.connect() as conn:
        as_values = conn.execute(
            select(schema.profiles.c.id, *answers).select_from(source).where(alive()).order_by(schema.profiles.c.id)
        ).all()
        as_filter = [
            set(conn.scalars(select(schema.profiles.c.id).select_from(source).where(alive(), answer)))
            for answer in answers
        ]
    for i, condition in enumerate(asked):
        expected = [reference(condition, person, now) for person in those]
        assert [row[i + 1] for row in as_values] == expected, condition
        assert as_filter[i] == {id for id, yes in enumerate(expected, 1) if yes}, condition


@SETTINGS
@given(those=worlds.people, now=worlds.nows, where=worlds.wheres)
def test_the_same_events_as_the_reference(engine: Engine, those: list[Person], now: Now, where: Condition) -> None:
    fill(engine, those, now)
    start = schema.events.alias("start")
    moment = Moment(as_of=now.as_of, zone=now.zone, consent=now.consent, event=start.c.properties)
    source = (
        people()
        .join(start, (start.c.profile_id == schema.profiles.c.id) & (start.c.name == "started"))
        .join(schema.events, schema.events.c.profile_id == schema.profiles.c.id)
    )
    statement = select(schema.events.c.event_id, event_holds(where, moment)).select_from(source)
    with engine.connect() as conn:
        found = {row[0]: row[1] for row in conn.execute(statement.where(schema.events.c.name != "started"))}
    assert found == {
        f"{id}:{i}": reference(where, person, now, event.properties)
        for id, person in enumerate(those, 1)
        for i, event in enumerate(person.events)
    }
