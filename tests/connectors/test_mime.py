"""Messages put together by hand, read back by the standard library."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import mime

DATE = datetime(2026, 3, 7, 10, 15, tzinfo=UTC)
ANY = st.text(max_size=300)
"""Any characters, without halves of surrogate pairs, which are no Unicode text."""
IN_HEADERS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300)


def built(**given: Any) -> bytes:
    usual: dict[str, Any] = {
        "key": "k",
        "name": "Anna",
        "address": "anna@example.com",
        "subject": "Hello",
        "text": "Hello\n",
        "html": "<p>Hello</p>\n",
        "date": DATE,
        "unsubscribe_url": "https://shop.example/u/1",
    }
    sender = given.pop("sender", "Shop <shop@shop.example>")
    return mime.skeleton(sender).fill(**{**usual, **given})


def parsed(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")


def person(content: bytes, header: str) -> tuple[str, str]:
    """(name, address). By the old parser: the new one of Python 3.11 puts a space between two encoded words of a name
    (CPython issue 128110), which RFC 2047 forbids."""
    name, address = parseaddr(re.sub(r"\r\n(?=[ \t])", "", str(message_from_bytes(content)[header])))
    return " ".join(str(make_header(decode_header(name))).split()), address


def as_written(text: str) -> str:
    """Line breaks of every kind are one kind in a message, and a body ends with one."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.endswith("\n") else text + "\n" if text else text


def test_a_message_as_it_stands() -> None:
    content = built(sender="Blåbær & co <hei@shop.example>", name="Åsa Lie", subject="Hei på deg", text="Hei på deg\n")
    identity = mime.send_id("k")
    assert (
        content.decode("ascii").replace("\r\n", "\n")
        == f"""\
From: =?utf-8?b?QmzDpWLDpnIgJiBjbw==?= <hei@shop.example>
To: =?utf-8?b?w4VzYSBMaWU=?= <anna@example.com>
Subject: =?utf-8?b?SGVpIHDDpSBkZWc=?=
Date: Sat, 07 Mar 2026 10:15:00 +0000
Message-ID: <{identity}@shop.example>
List-Unsubscribe: <https://shop.example/u/1>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
X-Winback-Send: {identity}
MIME-Version: 1.0
Content-Type: multipart/alternative;
 boundary="=_{identity}"

--=_{identity}
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Hei p=C3=A5 deg

--=_{identity}
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: 7bit

<p>Hello</p>

--=_{identity}--
"""
    )


@given(name=IN_HEADERS, subject=IN_HEADERS, sender=IN_HEADERS, text=ANY, html=ANY)
@settings(max_examples=300, deadline=None)
def test_any_text_comes_back_and_nothing_else(name: str, subject: str, sender: str, text: str, html: str) -> None:
    quoted = '"' + sender.replace("\\", "").replace('"', "") + '"'
    content = built(name=name, subject=subject, text=text, html=html, sender=f"{quoted} <shop@shop.example>")
    message = parsed(content)
    assert message["Subject"] == subject if subject.strip() else not str(message["Subject"]).strip()
    assert person(content, "To") == (" ".join(name.split()), "anna@example.com")
    assert person(content, "From") == (" ".join(quoted[1:-1].split()), "shop@shop.example")
    assert part(message, "plain") == as_written(text)
    assert part(message, "html") == as_written(html)
    assert message.keys() == [
        "From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "X-Winback-Send",
        "MIME-Version", "Content-Type",
    ]  # fmt: skip
    assert not message.defects and not [one for inner in message.iter_parts() for one in inner.defects]
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 76
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\x00", content)


@given(
    subject=st.text(max_size=60),
    place=st.integers(0, 60),
    bad=st.sampled_from(["\r", "\n", "\0", "\r\n", "\x0b", "\ud800"]),
)
@settings(max_examples=100, deadline=None)
@pytest.mark.parametrize("header", ["subject", "name", "address", "unsubscribe_url", "sender"])
def test_no_control_character_gets_into_a_header(header: str, subject: str, place: int, bad: str) -> None:
    text = subject[:place] + bad + subject[place:]
    value = {"address": f"anna{text}@example.com", "sender": f"{text} <shop@shop.example>"}.get(header, text)
    with pytest.raises(mime.HeaderError) as error:
        built(**{header: value})
    assert len(text) < 3 or text not in str(error.value)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "anna",
        "@example.com",
        "anna@",
        "a@b@c",
        "a b@example.com",
        "a,b@example.com",
        "<anna@example.com>",
        "a@" + "b" * 260,
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(mime.HeaderError, match="To is not an e-mail address"):
        built(address=address)


def test_international_addresses() -> None:
    (to,) = parsed(built(address="anna@blåbær.example"))["To"].addresses
    assert to.addr_spec == "anna@xn--blbr-roah.example"
    assert "To: Anna <åsa@example.com>\r\n".encode() in built(address="åsa@example.com")


def test_one_click_needs_https() -> None:
    assert parsed(built())["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    local = parsed(built(unsubscribe_url="http://localhost:8000/u/1"))
    assert local["List-Unsubscribe"] == "<http://localhost:8000/u/1>" and local["List-Unsubscribe-Post"] is None
    none = parsed(built(unsubscribe_url=""))
    assert none["List-Unsubscribe"] is None and none["List-Unsubscribe-Post"] is None


def test_the_message_id_depends_on_the_key_alone() -> None:
    first, again, other = built(), built(subject="Another", name=""), built(key="k2")
    assert parsed(first)["Message-ID"] == parsed(again)["Message-ID"] != parsed(other)["Message-ID"]


@given(text=ANY)
@settings(max_examples=200, deadline=None)
def test_a_body_never_holds_the_boundary(text: str) -> None:
    identity = mime.send_id("k")
    message = parsed(built(text=f"{text}\n--=_{identity}\n--=_{identity}--\n{text}"))
    assert part(message, "plain") == as_written(f"{text}\n--=_{identity}\n--=_{identity}--\n{text}")


@given(text=st.text("ab c\t.=é\n", max_size=400))
@settings(max_examples=200, deadline=None)
def test_white_space_and_dots_at_the_ends_of_lines_survive(text: str) -> None:
    assert part(parsed(built(text=text)), "plain") == as_written(text)


def test_long_subjects_are_folded_and_come_back() -> None:
    for subject in ("word " * 60 + "end", "x" * 500, "å" * 300, "a  b" * 50, "=?utf-8?q?x?=", " lead", "trail "):
        assert parsed(built(subject=subject))["Subject"] == subject


def test_reply_to() -> None:
    content = mime.skeleton("Shop <shop@shop.example>", "Care <care@shop.example>").sender
    assert content == b"From: Shop <shop@shop.example>\r\nReply-To: Care <care@shop.example>\r\n"
