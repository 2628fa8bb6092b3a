"""Signed unsubscribe links."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.unsubscribe import Unsubscribe, token, unsubscribe_url, verify

SECRET = b"a secret of the shop"


@given(profile=st.text(), channel=st.text(), topic=st.text())
def test_what_was_signed_comes_back(profile: str, channel: str, topic: str) -> None:
    value = token(SECRET, profile=profile, channel=channel, topic=topic)
    assert verify(value, SECRET) == Unsubscribe(profile=profile, channel=channel, topic=topic)
    assert value == token(SECRET, profile=profile, channel=channel, topic=topic)
    assert verify(value, b"another secret") is None
    assert value.isascii() and not set(value) & set(' /?&=+%\r\n<>"')


@given(value=st.text())
def test_anything_else_is_none(value: str) -> None:
    assert verify(value, SECRET) is None


def test_a_changed_token_is_none() -> None:
    value = token(SECRET, profile="p-1", channel="email", topic="marketing")
    for place in range(len(value)):
        # The last character of Base64 holds bits that mean nothing; a change of them is no change.
        changed = value[:place] + ("A" if value[place] != "A" else "B") + value[place + 1 :]
        assert verify(changed, SECRET) in (None, verify(value, SECRET) if place == len(value) - 1 else None)


def test_the_link() -> None:
    url = unsubscribe_url("https://shop.example/", SECRET, profile="p-1", channel="email", topic="offers")
    base, value = url.rsplit("/", 1)
    assert base == "https://shop.example/unsubscribe"
    assert verify(value, SECRET) == Unsubscribe(profile="p-1", channel="email", topic="offers")


def test_an_empty_secret_signs_nothing() -> None:
    with pytest.raises(ValueError, match="WINBACK_SECRET"):
        token(b"", profile="p", channel="email", topic="t")
