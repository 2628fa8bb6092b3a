"""Signed unsubscribe links: who, which channel and which topic, without the address.

The same person, channel and topic always give the same token, so a message rendered twice carries the same link. It
never expires: RFC 8058 asks that the link of an old message still works.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from itsdangerous import BadData, URLSafeSerializer

_PURPOSE = "winback.unsubscribe.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribe:
    """What the holder of a link asks for."""

    profile: str
    channel: str
    topic: str


def unsubscribe_url(base_url: str, secret: bytes, *, profile: str, channel: str, topic: str) -> str:
    """The link for one person, channel and topic: `BASE/unsubscribe/TOKEN`."""
    return f"{base_url.rstrip('/')}/unsubscribe/{token(secret, profile=profile, channel=channel, topic=topic)}"


def token(secret: bytes, *, profile: str, channel: str, topic: str) -> str:
    """The signed token, of characters that need no escaping in a URL. Raises ValueError for an empty secret."""
    return str(_serializer(secret).dumps([profile, channel, topic]))


def verify(value: str, secret: bytes) -> Unsubscribe | None:
    """What the token asks for, or None when it was not signed with this secret."""
    try:
        match _serializer(secret).loads(value):
            case [str(profile), str(channel), str(topic)]:
                return Unsubscribe(profile=profile, channel=channel, topic=topic)
    except BadData:
        pass
    return None


def _serializer(secret: bytes) -> URLSafeSerializer:
    if not secret:
        raise ValueError("an empty secret signs nothing: set WINBACK_SECRET")
    return URLSafeSerializer(secret, salt=_PURPOSE, signer_kwargs={"digest_method": hashlib.sha256})
