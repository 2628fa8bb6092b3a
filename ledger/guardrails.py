"""The guards: may this message go to this person now? The first refusal is the recorded reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dsl.catalog import MARKETING, TRANSACTIONAL
from dsl.plan import Policy
from ledger import waits
from store.clock import SECOND, instant, micros

SAME_ADDRESS = timedelta(hours=24)
"""Within this, one address gets a step of a playbook once, whichever profiles it belongs to."""

PASSED_BY_TRANSACTIONAL = frozenset({"unsubscribed"})
"""Suppressions that are about marketing only. Dead addresses and complaints count for everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds for every send of a project."""

    zone: str
    """The project's IANA zone."""
    policy: Policy = field(default_factory=Policy)
    topics: Mapping[str, str] = field(default_factory=dict)
    """The topic of each template, `marketing` for those left out."""
    consent: frozenset[str] = frozenset()
    """Channels for which no consent row means yes."""
    records: frozenset[str] = frozenset()
    """Channels that write to nobody: no consent, address, quiet hours or caps are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A queued message and what is known of its person just now. Times in microseconds."""

    id: int
    enrollment_id: int
    profile_id: int
    playbook: str
    digest: str
    step: str
    occurrence: int
    channel: str
    template: str
    expires_at: int
    attempts: int
    event: int | None
    wanted: bool | None
    """The enrollment was not interrupted. None: it is not there."""
    address: str | None
    address_hash: str | None
    time_zone: str | None
    known: bool
    """The person is in the store."""
    suppressed: str | None
    """The reason of the address's suppression on this channel."""


@dataclass(slots=True, kw_only=True)
class Surroundings:
    """What the guards ask beyond the candidate. Grows as a batch is let through: its messages count for each other."""

    consents: Mapping[tuple[int, str], bool]
    """By profile and topic, on this channel."""
    slots: dict[int, list[int]]
    """By profile, when messages that count against caps went out on this channel."""
    addresses: dict[tuple[str, str, str], int]
    """By address hash, playbook and step, the profile that got the message lately."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    slot: bool
    """Counts against frequency caps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    until: datetime
    reason: str


Ruling = Go | Skip | Delay


def judge(candidate: Candidate, around: Surroundings, rules: Rules, as_of: datetime) -> Ruling:
    """Asks the guards in their order. Reserves slot and address in `around` when the message may go."""
    topic = rules.topics.get(candidate.template, MARKETING)
    ruling = _refusal(candidate, around, rules, topic, as_of)
    if ruling is not None:
        return ruling
    marketing = topic != TRANSACTIONAL and candidate.channel not in rules.records
    if marketing:
        around.slots.setdefault(candidate.profile_id, []).append(micros(as_of))
        if candidate.address_hash:
            around.addresses[candidate.address_hash, candidate.playbook, candidate.step] = candidate.profile_id
    return Go(slot=marketing)


def _refusal(
    candidate: Candidate, around: Surroundings, rules: Rules, topic: str, as_of: datetime
) -> Skip | Delay | None:
    marketing = topic != TRANSACTIONAL
    if not candidate.known:
        return Skip(reason="nobody")
    if candidate.expires_at < micros(as_of):
        return Skip(reason="late")
    if candidate.channel in rules.records:
        return None if candidate.wanted else Skip(reason="left")
    agreed = around.consents.get((candidate.profile_id, topic), candidate.channel in rules.consent)
    if marketing and not agreed:
        return Skip(reason="no_consent")
    if candidate.suppressed is not None and (marketing or candidate.suppressed not in PASSED_BY_TRANSACTIONAL):
        return Skip(reason="suppressed")
    if not candidate.address:
        return Skip(reason="no_address")
    if marketing:
        quiet = waits.quiet_until(rules.policy, as_of, waits.zone_of(candidate.time_zone, rules.zone))
        if quiet is not None:
            return Delay(until=quiet, reason="quiet_hours")
        if over_cap(rules.policy, candidate.channel, around.slots.get(candidate.profile_id, ()), as_of):
            return Skip(reason="frequency_cap")
        other = around.addresses.get((candidate.address_hash or "", candidate.playbook, candidate.step))
        if other not in (None, candidate.profile_id):
            return Skip(reason="duplicate_address")
    if not candidate.wanted:
        return Skip(reason="left")
    return None


def over_cap(policy: Policy, channel: str, slots: Sequence[int], as_of: datetime) -> bool:
    """Whether one more message at `as_of` would be above a limit. A slot counts for less than the limit's seconds."""
    now = micros(as_of)
    return any(
        sum(slot > now - limit.seconds * SECOND for slot in slots) >= limit.count
        for limit in policy.limits
        if limit.channel == channel
    )


def oldest_slot(policy: Policy, channel: str, as_of: datetime) -> datetime | None:
    """From when slots matter. None: the channel has no limit."""
    spans = [limit.seconds for limit in policy.limits if limit.channel == channel]
    return instant(micros(as_of) - max(spans) * SECOND) if spans else None
