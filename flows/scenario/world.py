"""Where scenarios are played: an empty store in memory, connectors that only take note, the project's own templates."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import datetime, time, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from connectors.contract import Manifest
from dsl.compile import Compiled
from dsl.delivery import Message, Outcome, Verdict
from dsl.plan import Plan, Stage
from flows.settings import Shop
from flows.world import World, consent
from ledger.waits import at_local
from profiles.consent import CHANNELS
from profiles.ingest import Rules
from store.engine import open_store
from store.schema import metadata

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from connectors.templates import TemplateSet
    from flows.project import Project

_FIELDS = frozenset(each.name for each in fields(World))
RECORDS = "crm"
"""The channel of records that playbooks make."""
KEY = b"the key of every scenario"
"""Of hashes and links that nobody sees."""


class Recorder:
    """A connector that takes every message and hands it to nobody."""

    def __init__(self, channel: str) -> None:
        self.manifest = Manifest(
            name="scenario", channels=frozenset({channel}), repeatable=True, batch=200, connections=1,
            longest=timedelta(seconds=1),
        )  # fmt: skip
        self.taken: list[Message] = []

    async def send(self, messages: Sequence[Message]) -> AsyncIterator[Outcome]:
        for message in messages:
            self.taken.append(message)
            yield Outcome(key=message.key, verdict=Verdict.ACCEPTED)

    def accepted(self, keys: Sequence[str]) -> Mapping[str, bool] | None:
        return dict.fromkeys(keys, True)

    async def check(self) -> list[str]:
        return []

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


@dataclass(slots=True, kw_only=True)
class Bench:
    """A project's playbooks, ready to play scenarios with. Makes nothing outside of memory."""

    compiled: Compiled
    shop: Shop
    templates: TemplateSet
    senders: Mapping[str, str] = field(default_factory=dict)
    consent: frozenset[str] = frozenset()
    """Channels for which no consent row means yes, by the project's settings."""
    engine: Engine = field(init=False)
    digests: Mapping[str, Plan] = field(init=False)

    def __post_init__(self) -> None:
        self.engine = open_store("sqlite://")
        metadata.create_all(self.engine)
        self.digests = {plan.digest: plan for plan in self.compiled.plans.values()}

    def close(self) -> None:
        self.engine.dispose()

    @property
    def rules(self) -> Rules:
        return Rules(
            currency=self.shop.currency, zone=self.shop.time_zone, hash_key=KEY, default_region=self.shop.country
        )

    @contextmanager
    def scratch(self) -> Iterator[Connection]:
        """An empty store; what is written to it is gone at the end of the block."""
        with self.engine.connect().execution_options(writing=True) as connection:
            transaction = connection.begin()
            try:
                yield connection
            finally:
                transaction.rollback()

    def world(self, store: Connection, now: datetime, lifecycle: tuple[Stage, ...]) -> World:
        """What a run works with at `now`."""
        channels = self.compiled.catalog.channels
        known = {"plans": self.compiled.plans, "audiences": self.compiled.audiences, "lifecycle": lifecycle}
        more: dict[str, Any] = {name: value for name, value in known.items() if name in _FIELDS}
        return World(
            store=store,
            policy=self.compiled.policy,
            zone=self.shop.time_zone,
            # Channels that no call can consent to are open to everybody.
            consent=self.consent | (frozenset(channels) - frozenset(CHANNELS)),
            connectors={name: Recorder(name) for name in (*channels, RECORDS)},
            templates=self.templates,
            shop=self.shop.model_dump(),
            senders=self.senders,
            secret=KEY,
            addresses={name: channel.address for name, channel in channels.items()} | {RECORDS: "email"},
            live=False,
            rehearsing=False,
            wall=lambda: now,
            **more,
        )

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.shop.time_zone)


def bench(project: Project, compiled: Compiled) -> Bench:
    """The project's bench. `compiled`: its playbooks, perhaps with others. Its store and its outbox are not touched."""
    settings = project.settings
    return Bench(
        compiled=compiled,
        shop=settings.shop,
        templates=project.templates,
        senders=dict.fromkeys(compiled.catalog.channels, settings.shop.name) | {"email": settings.email_from},
        consent=consent(project),
    )


def noon_near(now: datetime, zone: ZoneInfo) -> datetime:
    """When a scenario without a clock starts: noon of the latest Tuesday up to `now`, where the person lives.

    So a scenario never passes by day and fails by night, and dates are like those of today.
    """
    today = now.astimezone(zone).date()
    tuesday = today - timedelta(days=(today.weekday() - 1) % 7)
    at = at_local(tuesday, time(12), zone)
    return at if at <= now else at_local(tuesday - timedelta(days=7), time(12), zone)
