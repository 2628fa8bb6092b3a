"""Delivering what is queued: the ledger's loop, with the values of people, the templates and the connectors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from connectors.contract import Manifest
from connectors.templates.errors import RenderError
from connectors.unsubscribe import unsubscribe_url
from dsl.catalog import MARKETING
from dsl.conditions import Constant, Field, Operand
from dsl.delivery import Message, Outcome, Verdict
from dsl.plan import Plan, Record, Send
from flows.moving import asked
from flows.records import record_message
from flows.world import World
from ledger.actions import RECORDS
from ledger.channel import Channel, Delivered, Job, Unrenderable
from ledger.deliver import DOWN, deliver
from ledger.guardrails import Rules
from ledger.leave import Exit, leave
from ledger.owner import this_process
from profiles.moment import Moment
from profiles.person import constant, event_properties, typed, user_ids, values
from profiles.recommend import Shelf, shelf_at
from store.clock import micros
from store.engine import read
from store.schema import outbox

LONGEST_STEP = 1800.0
"""Seconds that a tick sends the messages of one step at most; the next tick goes on."""


@dataclass(slots=True, kw_only=True)
class _Once:
    """What is found out once for all batches."""

    shelf: Shelf | None = None
    exits: list[tuple[str, Sequence[Exit]]] | None = None
    """By the digest of the plan; those without exits left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """The messages of one playbook that are due. `plans` has the current plan first."""

    world: World
    plans: Sequence[Plan]
    as_of: datetime
    runner: asyncio.Runner
    topics: Mapping[tuple[str, str], str]
    """Per channel and template."""
    once: _Once = field(default_factory=lambda: _Once())

    def due(self) -> dict[str, int]:
        """Messages that are due, by step."""
        counted = (
            select(outbox.c.step, func.count().label("messages"))
            .where(
                outbox.c.playbook == self.plans[0].name,
                outbox.c.state == "planned",
                outbox.c.due_at <= micros(self.as_of),
            )
            .group_by(outbox.c.step)
        )
        with read(self.world.store) as connection:
            return {row.step: row.messages for row in connection.execute(counted)}

    def left(self, step: Send | Record, done: Delivered) -> int:
        """Messages of a step that are due still, and that `done` has not counted as delayed."""
        return max(0, self.due().get(step.id, 0) - sum(done.delayed[reason] for reason in DOWN))

    def elsewhere(self) -> list[Send | Record]:
        """Steps with messages that are due and that the current plan no longer has."""
        current = {step.id for step in self.plans[0].steps}
        steps = (step for plan in self.plans[1:] for step in plan.steps)
        older = {step.id: step for step in steps if isinstance(step, Send | Record) and step.id not in current}
        # In the order of their plans: whoever comes first takes the slot of a cap, on every store.
        due = self.due()
        return [step for id, step in older.items() if id in due]

    def deliver(self, step: Send | Record, *, limit: int | None, progress: Callable[[int], None]) -> Delivered:
        """Send what is due of one step, at most `limit` messages; `progress` is told how many were handed over."""
        name = step.channel if isinstance(step, Send) else RECORDS
        connector = self.world.connectors.get(name)
        if connector is None:
            return Delivered(stopped="not_connected", trouble=f"nothing is set up that sends {name}.")
        handed = 0

        async def send(messages: Sequence[Message]) -> AsyncIterator[Outcome]:
            nonlocal handed
            async for outcome in connector.send(messages):
                yield outcome
            handed += len(messages)
            progress(handed)

        channel = Channel(
            name=name,
            send=_taken if self.world.rehearsing else send,
            render=_blank if self.world.rehearsing else self.render,
            address_field=self.world.addresses[name],
            chunk=200 if self.world.rehearsing else _chunk(connector.manifest),
            rate=None if self.world.rehearsing else self.world.rates.get(name),
        )
        rules = Rules(
            zone=self.world.zone,
            policy=self.world.policy,
            topics={template: topic for (channel, template), topic in self.topics.items() if channel == name},
            consent=self.world.consent,
            records=frozenset({RECORDS}),
        )
        return self.runner.run(
            deliver(
                self.world.store, playbook=self.plans[0].name, channel=channel, rules=rules, as_of=self.as_of,
                wall=self.world.wall, owner=this_process(), step=step.id, leaving=self.leaving, limit=limit,
                seconds=None if self.world.rehearsing else LONGEST_STEP,
            )
        )  # fmt: skip

    def leaving(self, connection: Connection, enrollments: Sequence[int]) -> None:
        """Ask the exits again for people who are about to be sent something."""
        now = self.world.wall() if self.world.live else self.as_of
        if self.once.exits is None or self.world.live:
            self.once.exits = [(plan.digest, asked(self.world, plan, now).exits()) for plan in self.plans if plan.exits]
        for digest, exits in self.once.exits:
            leave(connection, playbook=self.plans[0].name, digest=digest, exits=exits, as_of=now, among=enrollments)

    @property
    def _moment(self) -> Moment:
        world = self.world
        return Moment(as_of=self.as_of, zone=world.zone, consent=world.consent, lifecycle=world.lifecycle)

    def render(self, jobs: Sequence[Job]) -> list[Message | Unrenderable]:
        """A message for each job: the person's values put into the arguments, and these into the template."""
        plans = {plan.digest: plan for plan in self.plans}
        arguments = {job.id: _arguments(plans[job.digest], job.step) for job in jobs}
        types = {
            o.name: o.type
            for many in arguments.values()
            for o in many.values()
            if isinstance(o, Field) and o.scope == "profile"
        }
        with read(self.world.store) as connection:
            ids = [job.profile_id for job in jobs]
            if self.once.shelf is None and any(name.startswith("recommended.") for name in types):
                self.once.shelf = shelf_at(connection, self.as_of)
            people = values(
                connection, ids, types, as_of=self.as_of, types=types, shelf=self.once.shelf, moment=self._moment
            )
            records = [job.profile_id for job in jobs if job.channel == RECORDS]
            users = user_ids(connection, records) if records else {}
            started = event_properties(connection, [job.event for job in jobs if job.event is not None])
        made: list[Message | Unrenderable] = []
        for job in jobs:
            person, event = people[job.profile_id], started.get(job.event or 0, {})
            given = {name: (o, _value(o, person, event)) for name, o in arguments[job.id].items()}
            if job.channel == RECORDS:
                made.append(self._record(job, plans[job.digest], given, person, users.get(job.profile_id)))
            else:
                made.append(self._message(job, {name: value for name, (_, value) in given.items()}, person))
        return made

    def _record(
        self,
        job: Job,
        plan: Plan,
        given: Mapping[str, tuple[Operand, Any]],
        person: Mapping[str, Any],
        user_id: str | None,
    ) -> Message:
        step = plan.step(job.step)
        assert isinstance(step, Record)
        known = {**person["profile"], "user_id": user_id}
        currency = str(self.world.shop["currency"])
        return record_message(job, step, given, known, currency=currency, as_of=self.as_of)

    def _message(self, job: Job, arguments: Mapping[str, Any], person: Mapping[str, Any]) -> Message | Unrenderable:
        link = unsubscribe_url(
            str(self.world.shop["url"]), self.world.secret, profile=str(job.profile_id), channel=job.channel,
            topic=self.topics.get((job.channel, job.template), MARKETING),
        )  # fmt: skip
        try:
            return self.world.templates.render(
                job.channel,
                job.template,
                arguments=arguments,
                profile=person["profile"],
                shop=self.world.shop,
                unsubscribe_url=link,
                key=job.key,
                address=job.address,
                sender=self.world.senders.get(job.channel, ""),
                date=self.as_of,
            )
        except RenderError as error:
            return Unrenderable(detail=str(error))


@contextmanager
def dispatch(world: World, plans: Sequence[Plan], as_of: datetime) -> Iterator[Dispatch]:
    """The playbook's dispatch; its connections are closed at the end of the block."""
    with asyncio.Runner() as runner:
        try:
            topics = {key: template.topic for key, template in world.templates.describe().items()}
            yield Dispatch(world=world, plans=plans, as_of=as_of, runner=runner, topics=topics)
        finally:
            for connector in world.connectors.values():
                runner.run(connector.close())


def _chunk(manifest: Manifest) -> int:
    """How many messages are in doubt after a kill: few, unless a second try does no harm."""
    return manifest.batch if manifest.repeatable else min(manifest.batch, manifest.connections * 2)


def _arguments(plan: Plan, step: str) -> dict[str, Operand]:
    found = plan.step(step)
    assert isinstance(found, Send | Record)
    return dict(found.arguments)


def _value(operand: Operand, person: Mapping[str, Any], started: Mapping[str, Any]) -> Any:
    """An argument as a template sees it: money in hundredths, an unknown field None."""
    match operand:
        case Constant():
            return constant(operand)
        case Field(scope="event", name=name, type=kind):
            return typed(started.get(name), kind)
        case Field(name=name):
            return person.get(name)


async def _taken(messages: Sequence[Message]) -> AsyncIterator[Outcome]:
    """In a rehearsal every message is taken, and none is sent."""
    for message in messages:
        yield Outcome(key=message.key, verdict=Verdict.ACCEPTED)


def _blank(jobs: Sequence[Job]) -> list[Message | Unrenderable]:
    return [Message(key=j.key, channel=j.channel, address=j.address, sender="", content=b"", headers={}) for j in jobs]
