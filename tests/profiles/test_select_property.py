"""SQL on both stores and the second evaluator choose the same people, whatever they did and whatever is asked."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, FromClause, delete, insert, select

from profiles.select import Moment, alive, event_holds, holds, people
from store import schema
from store.engine import write
from tests.profiles import worlds
from tests.reference import Event, Now, Person
from tests.reference import holds as reference

SETTINGS = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
_TABLES = tuple(
    schema.metadata.tables[name]
    for name in (
        "outbox", "memberships", "stages", "enrollments", "plans", "suppressions", "consents", "events", "traits",
        "profiles",
    )
)  # fmt: skip


def fill(engine: Engine, those: list[Person], now: Now) -> None:
    """Makes the store hold these people, with ids from 1 on, and one enrollment each with its starting event."""
    rows: dict[Any, list[dict[str, Any]]] = {table: [] for table in reversed(_TABLES)}
    rows[schema.plans].append({"digest": "d", "playbook": "p", "body": {}, "created_at": 0})
    for id, person in enumerate(those, 1):
        merged = 1 if person.is_merged else None
        rows[schema.profiles].append({"id": id, "bucket": id, "set_at": {}, "merged_into": merged, **person.profile})
        if person.traits is not None:
            rows[schema.traits].append({"profile_id": id, **person.traits})
        started = Event(name="started", at=0, properties=person.start, id="start")
        for event in (started, *person.events):
            row = {"name": event.name, "at": event.at, "received_at": event.at, "properties": event.properties}
            rows[schema.events].append({"event_id": f"{id}:{event.id}", "body_hash": "", "profile_id": id, **row})
        for (channel, topic), granted in person.consents.items():
            rows[schema.consents].append(
                {"profile_id": id, "channel": channel, "topic": topic, "granted": granted, "source": "", "at": 0}
            )
        rows[schema.enrollments].append(
            {"playbook": "p", "digest": "d", "profile_id": id, "holdout": False, "state": "active",
             "entered_at": person.entered_at}
        )  # fmt: skip
        for i, queued in enumerate(person.queued):
            told = {"channel": queued.channel, "template": queued.template, "state": queued.state}
            key = {"playbook": "p", "enrollment_id": id, "step": f"s{i}", "occurrence": 1, "profile_id": id}
            times = {"planned_at": 0, "due_at": 0, "expires_at": 0, "settled_at": queued.settled_at}
            rows[schema.outbox].append({**key, **told, **times, "digest": "d"})
        for audience, member in person.member.items():
            rows[schema.memberships].append({"audience": audience, "profile_id": id, "member": member, "changed_at": 0})
        if person.noted is not None:
            rows[schema.stages].append({"profile_id": id, "stage": person.noted[0], "since": person.noted[1]})
    rows[schema.suppressions] = [
        {"channel": channel, "address_hash": digest, "reason": "", "at": 0} for channel, digest in now.suppressions
    ]
    with write(engine) as conn:
        for table in _TABLES:
            conn.execute(delete(table))
        for table, values in rows.items():
            if values:
                conn.execute(insert(table), values)


def world(r: Random) -> tuple[Now, list[Person]]:
    those = [worlds.person(r) for _ in range(40)]
    return replace(worlds.now(r), everybody=those), those


@SETTINGS
@given(r=st.randoms(use_true_random=True))
def test_the_same_people_as_the_reference(engine: Engine, r: Random) -> None:
    now, those = world(r)
    asked = [worlds.condition(r) for _ in range(40)] + [worlds.further(r) for _ in range(50)]
    fill(engine, those, now)
    moment, source = _around(now)
    ids = select(schema.profiles.c.id).select_from(source).where(alive()).order_by(schema.profiles.c.id)
    alive_ones = [(id, person) for id, person in enumerate(those, 1) if not person.is_merged]
    with engine.connect() as conn:
        for condition in asked:
            expected = [reference(condition, person, now) for _, person in alive_ones]
            answer = holds(condition, moment)
            values = conn.scalars(ids.with_only_columns(answer)).all()
            differ = [person for (_, person), x, y in zip(alive_ones, values, expected, strict=True) if x is not y]
            assert not differ, f"{condition}\nabout {differ[0]}"
            chosen = [id for (id, _), yes in zip(alive_ones, expected, strict=True) if yes]
            assert conn.scalars(ids.where(answer)).all() == chosen, condition


@SETTINGS
@given(r=st.randoms(use_true_random=True))
def test_the_same_events_as_the_reference(engine: Engine, r: Random) -> None:
    now, those = world(r)
    fill(engine, those, now)
    moment, source = _around(now)
    source = source.join(schema.events, schema.events.c.profile_id == schema.profiles.c.id)
    ids = select(schema.events.c.event_id).select_from(source).where(schema.events.c.name != "started")
    with engine.connect() as conn:
        for where in [worlds.condition(r, where=True) for _ in range(40)]:
            expected = {
                f"{id}:{event.id}"
                for id, person in enumerate(those, 1)
                for event in person.events
                if reference(where, person, now, event.properties)
            }
            assert set(conn.scalars(ids.where(event_holds(where, moment)))) == expected, where


def _around(now: Now) -> tuple[Moment, FromClause]:
    """A statement's FROM with people, their enrollments and the events that started these, and the moment for it."""
    start = schema.events.alias("start")
    entered = schema.enrollments.c.entered_at
    moment = Moment(
        as_of=now.as_of, zone=now.zone, consent=now.consent, lifecycle=now.lifecycle, entered_at=entered,
        event=start.c.properties,
    )  # fmt: skip
    enrolled = people().join(schema.enrollments, schema.enrollments.c.profile_id == schema.profiles.c.id)
    return moment, enrolled.join(start, (start.c.profile_id == schema.profiles.c.id) & (start.c.name == "started"))
