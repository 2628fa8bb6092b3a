"""Consent in traits: `email_consent` and its kin. The newest word counts, and of two at the same time the refusal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dsl.catalog import MARKETING
from profiles.values import MAX_ID, CallError, shown, time_of

CHANNELS = ("email", "sms", "push", "ads")
_TRAIT = re.compile(rf"({'|'.join(CHANNELS)})_consent(?:_([a-z][a-z0-9_]*))?")
_ABOUT = frozenset({"consent_source", "consent_at"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    channel: str
    topic: str
    granted: bool
    source: str
    at: int
    """Microseconds since 1970, UTC."""


def is_consent(trait: str) -> bool:
    """Whether a trait speaks of consent, and so is no attribute of the person."""
    return trait in _ABOUT or _TRAIT.fullmatch(trait) is not None


def consents_of(traits: Mapping[str, Any], at: int) -> tuple[Consent, ...]:
    """The consents that the traits give or refuse. `email_consent`: about marketing, `email_consent_offers`: offers.

    `consent_at` is their time, without it `at`. Raises CallError for anything but true and false.
    """
    found = [(match, traits[name]) for name in traits if (match := _TRAIT.fullmatch(name))]
    if not found:
        return ()
    source = traits.get("consent_source") or "import"
    if not isinstance(source, str) or len(source) > MAX_ID:
        raise CallError(f"`consent_source` is {shown(source)}; it must be a text of at most {MAX_ID} characters.")
    if traits.get("consent_at") is not None:
        at = time_of("consent_at", traits["consent_at"])
    made = []
    for match, granted in found:
        if not isinstance(granted, bool):
            raise CallError(f"`{match[0]}` is {shown(granted)}; consent is true or false, without quotes.")
        made.append(Consent(channel=match[1], topic=match[2] or MARKETING, granted=granted, source=source, at=at))
    return tuple(made)


def newer(one: Consent, other: Consent) -> Consent:
    """Which of two consents on the same channel and topic counts, whichever came first."""
    return max(one, other, key=lambda consent: (consent.at, not consent.granted, consent.source))
