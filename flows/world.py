"""What a tick works with beside the plan: store, policy, connectors, templates, clocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dsl.plan import Audience, Plan, Policy, Stage
from flows.settings import rates
from ledger.actions import RECORDS
from ledger.throttle import Rate
from store.engine import Store

if TYPE_CHECKING:
    from connectors.contract import Advertising, Connector
    from connectors.templates import TemplateSet
    from flows.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    store: Store
    policy: Policy
    zone: str
    """The project's, for people without one and for schedules."""
    consent: frozenset[str]
    """Channels for which no consent row means yes."""
    connectors: Mapping[str, Connector]
    """By channel. A channel that is not here delays its messages."""
    templates: TemplateSet
    shop: Mapping[str, Any]
    """As templates see it."""
    senders: Mapping[str, str]
    """By channel the address or number that messages come from."""
    secret: bytes
    addresses: Mapping[str, str]
    """By channel the profile field with the address."""
    live: bool
    """The tick is at the time on the wall: what happens while it delivers counts too."""
    rehearsing: bool
    """Nothing is rendered and nothing handed to a connector."""
    wall: Callable[[], datetime]
    """The clock on the wall: for leases only. Everything else goes by the tick's `as_of`."""
    plans: Mapping[str, Plan] = field(default_factory=dict)
    """The playbooks of the project by name: those that an `enroll in` may lead to."""
    lifecycle: tuple[Stage, ...] = ()
    audiences: Mapping[str, Audience] = field(default_factory=dict)
    rates: Mapping[str, Rate] = field(default_factory=dict)
    """By channel the most that all processes together may send."""
    ads: Advertising | None = None
    """Where audiences are told of; None: nowhere."""


def consent(project: Project) -> frozenset[str]:
    """The channels for which no consent row means yes."""
    return frozenset({"email"}) if project.settings.consent.email == "assumed" else frozenset()


def lifecycle(project: Project) -> tuple[Stage, ...]:
    """The stages of everybody, the last for those whom no other fits."""
    return project.compiled.lifecycle


def world(project: Project, *, store: Store | None = None, live: bool = False) -> World:
    """The project's world. `store` may be a rehearsal; `live`: the tick is at the time on the wall.

    Raises SettingsError, ConfigurationError, StoreError."""
    from connectors.registry import advertising_for, connector_for

    settings = project.settings
    chosen = {
        "WINBACK_EMAIL": settings.email,
        "WINBACK_SMTP_URL": settings.smtp_url,
        "WINBACK_SMS": settings.sms,
        "WINBACK_OUTBOX": project.folder / settings.outbox,
    }
    return World(
        store=project.engine if store is None else store,
        policy=project.compiled.policy,
        zone=settings.shop.time_zone,
        consent=consent(project),
        connectors={channel: connector_for(channel, chosen) for channel in ("email", "sms", "push", RECORDS)},
        templates=project.templates,
        shop=settings.shop.model_dump(),
        senders={"email": settings.email_from, "sms": settings.shop.name, "push": settings.shop.name},
        secret=project.secret,
        addresses={name: channel.address for name, channel in project.catalog.channels.items()} | {RECORDS: "email"},
        live=live,
        rehearsing=store is not None,
        wall=lambda: datetime.now(UTC),
        plans=project.compiled.plans,
        lifecycle=lifecycle(project),
        audiences=project.compiled.audiences,
        rates={name: Rate(count=n, seconds=s) for name, (n, s) in rates(settings.limits).items()},
        ads=advertising_for(chosen),
    )
