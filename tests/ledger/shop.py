"""A small shop by hand: people, events, and playbooks as plans, for the tests of the ledger."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, false, func, insert, select

from dsl.conditions import Field as Read
from dsl.conditions import Known
from dsl.delivery import Message, Outcome, Verdict
from dsl.plan import Entry, Plan, Schedule, Send, StartOn, StartWhen, Step
from dsl.types import Type
from ledger.advance import Advanced, advance
from ledger.channel import Channel, Delivered, Job, Leaving
from ledger.deliver import deliver
from ledger.enroll import Entered, enter_when
from ledger.guardrails import Rules
from ledger.owner import this_process
from ledger.plans import Tick, begin_tick, register
from store.addresses import address_hash
from store.clock import micros
from store.engine import write
from store.schema import consents, enrollments, events, outbox, profiles, traits

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ANYTHING = Known(field=Read(scope="profile", name="email", type=Type.TEXT))
"""The ledger never reads a condition: tests give SQL beside the plan."""


def mail(id: str, next: str | None = None, channel: str = "email") -> Send:
    return Send(id=id, channel=channel, template=id, arguments=(), next=next)


def plan(
    *steps: Step,
    name: str = "carts",
    entry: Entry | None = None,
    trigger: StartOn | StartWhen | None = None,
    schedule: Schedule | None = None,
) -> Plan:
    return Plan(
        name=name, about="", schedule=schedule, trigger=trigger or StartWhen(condition=ANYTHING), only_if=None,
        entry=entry or Entry(kind="every"), exits=(), goal=None, holdout=0.0, steps=steps,
    )  # fmt: skip


def people(connection: Connection, count: int, **values: Any) -> list[int]:
    """That many people with consent to e-mail and a cart of $10."""
    first = (connection.scalar(select(func.max(profiles.c.id))) or 0) + 1
    ids = list(range(first, first + count))
    rows = []
    for id in ids:
        email = values.get("email", f"p{id}@example.com")
        row = {
            "id": id, "bucket": id * 7919 % 1000, "email": email, "phone": None, "phone_hash": None, "time_zone": None,
            "email_hash": None if email is None else address_hash(email, b"key"), "created_at": 0, "custom": {},
            "set_at": {}, "merged_into": None,
        }  # fmt: skip
        rows.append(row | values)
    connection.execute(insert(profiles), rows)
    connection.execute(
        insert(traits),
        [{"profile_id": id, "cart_total": 1000, "browsing_products": [], "cart_items": []} for id in ids],
    )
    connection.execute(
        insert(consents),
        [
            {"profile_id": id, "channel": "email", "topic": "marketing", "granted": True, "source": "test", "at": 0}
            for id in ids
        ],
    )
    return ids


def happens(connection: Connection, profile_id: int, name: str, at: datetime, **properties: Any) -> int:
    """An event. Returns its events.id."""
    event_id = f"{profile_id} {name} {micros(at)} {sorted(properties.items())}"
    made = connection.execute(
        insert(events).values(
            event_id=event_id, body_hash="", profile_id=profile_id, name=name, at=micros(at), received_at=micros(at),
            properties=properties,
        )
    )  # fmt: skip
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0])


def enter(engine: Engine, plan: Plan, as_of: datetime, **arguments: Any) -> Entered:
    """A tick that lets in those with a cart, or whom `arguments` choose."""
    with write(engine) as connection:
        register(connection, plan, as_of)
        tick = begin_tick(connection, plan.name, as_of)
        return enter_on_or_when(connection, plan, tick, as_of, arguments)


def enter_on_or_when(
    connection: Connection, plan: Plan, tick: Tick, as_of: datetime, arguments: Mapping[str, Any]
) -> Entered:
    given = {"matches": traits.c.cart_total > 0, "admits": None, "held_out": false()} | dict(arguments)
    return enter_when(connection, plan=plan, tick=tick, as_of=as_of, **given)


def go_on(engine: Engine, plan: Plan, as_of: datetime, **arguments: Any) -> Advanced:
    given: dict[str, Any] = {"decisions": {}, "arms": {}, "zone": "UTC"} | arguments
    return advance(engine, plan=plan, as_of=as_of, **given)


@dataclass
class Provider:
    """A provider that keeps what it takes, and answers as it is told."""

    answers: Callable[[Message], Outcome | None] = lambda m: Outcome(key=m.key, verdict=Verdict.ACCEPTED)
    taken: list[Message] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)

    async def send(self, messages: Sequence[Message]) -> AsyncIterator[Outcome]:
        self.calls.append(len(messages))
        for message in messages:
            outcome = self.answers(message)
            if outcome is None or outcome.verdict is Verdict.ACCEPTED:
                self.taken.append(message)
            if outcome is not None:
                yield outcome

    @property
    def addresses(self) -> Counter[str]:
        return Counter(message.address for message in self.taken)


def always(verdict: Verdict, **values: Any) -> Callable[[Message], Outcome]:
    return lambda message: Outcome(key=message.key, verdict=verdict, **values)


def render(jobs: Sequence[Job]) -> list[Message]:
    return [
        Message(key=j.key, channel=j.channel, address=j.address, sender="", content=j.template.encode(), headers={})
        for j in jobs
    ]


async def send_due(
    engine: Engine,
    provider: Provider,
    as_of: datetime,
    *,
    rules: Rules | None = None,
    leaving: Leaving | None = None,
    playbook: str = "carts",
    wall: Callable[[], datetime] | None = None,
    limit: int | None = None,
    seconds: float | None = None,
    **channel: Any,
) -> Delivered:
    given: dict[str, Any] = {"name": "email", "send": provider.send, "render": render} | channel
    return await deliver(
        engine, playbook=playbook, channel=Channel(**given), rules=rules or Rules(zone="UTC"), as_of=as_of,
        wall=wall or (lambda: datetime.now(UTC)), owner=this_process(), leaving=leaving, limit=limit,
        seconds=seconds,
        chance=random.Random(1),
    )  # fmt: skip


def messages(engine: Engine) -> Counter[tuple[str, str | None]]:
    """How many messages are in each state with each reason."""
    with engine.connect() as connection:
        rows = connection.execute(select(outbox.c.state, outbox.c.reason))
        return Counter((row.state, row.reason) for row in rows)


def inside(engine: Engine) -> Counter[tuple[str, str | None, str | None]]:
    """How many enrollments are in each state, at each step, with each reason."""
    with engine.connect() as connection:
        rows = connection.execute(select(enrollments.c.state, enrollments.c.step, enrollments.c.reason))
        return Counter((row.state, row.step, row.reason) for row in rows)


ONE = plan(mail("first"))


def queue(engine: Engine, count: int = 1, as_of: datetime = NOON, **values: Any) -> list[int]:
    """That many new people with one message each."""
    with write(engine) as connection:
        ids = people(connection, count, **values)
    enter(engine, ONE, as_of)
    go_on(engine, ONE, as_of)
    return ids


def deliver_now(engine: Engine, provider: Provider, as_of: datetime = NOON, **arguments: Any) -> Any:
    return asyncio.run(send_due(engine, provider, as_of, **arguments))


def refused(engine: Engine, as_of: datetime = NOON, **arguments: Any) -> dict[str, int]:
    provider = Provider()
    done = deliver_now(engine, provider, as_of, **arguments)
    assert done.sent == len(provider.taken) == 0
    return dict(done.skipped)
