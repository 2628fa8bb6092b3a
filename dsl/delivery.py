"""The values that ledger and connectors exchange: a message to be sent, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One rendered message to one address."""

    key: str
    """The send key: the same for every try of the same send, unique over all sends."""
    channel: str
    address: str
    sender: str
    content: bytes
    """E-mail: the whole RFC 5322 message. Other channels: the text, UTF-8."""
    headers: Mapping[str, str]
    """For people and logs: e-mail subject and the like. Not sent beside `content`."""


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    """The provider has taken the message over."""
    REJECTED = "rejected"
    """For good: never tried again."""
    DEFERRED = "deferred"
    """Not accepted, surely: may be tried again later."""
    THROTTLED = "throttled"
    """Not accepted, and nobody should try before `retry_after`."""
    UNKNOWN = "unknown"
    """The first byte had left and no answer tells. Never tried again blindly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    key: str
    verdict: Verdict
    reason: str = ""
    """A stable code, such as `mailbox_unknown`; empty when accepted."""
    detail: str = ""
    """For people; holds no address and no secret."""
    provider_id: str | None = None
    retry_after: timedelta | None = None
    suppress: bool = False
    """The address is dead (hard bounce): send nothing to it again."""
