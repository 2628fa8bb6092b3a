"""E-mail messages put together by hand: RFC 5322, 2045, 2047, 6532 and 8058.

The standard library's EmailMessage builds some 200 messages a second. What is the same for all messages of a sender
is made once (`Skeleton`); what differs is checked and encoded here. Lines end with CRLF; dot-stuffing is the
transport's.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parseaddr
from functools import lru_cache

import idna

_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_ADDRESS = re.compile(r"[^\s@<>()\[\]:;,\\\"\x00-\x1f\x7f]+@[^\s@<>()\[\]:;,\\\"\x00-\x1f\x7f]+")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_LONGEST_ADDRESS = 254
_LINE = 76


class HeaderError(ValueError):
    """A value that may not stand in a header. The message names the header, never the value."""


# ── Header values ─────────────────────────────────────────────────────────────────────────────────────────────────────
def checked(header: str, value: str) -> str:
    """The value. Raises HeaderError when it holds CR, LF, NUL, another control character, or half a surrogate pair."""
    if found := _CONTROL.search(value):
        named = {"\r": "a line break", "\n": "a line break", "\0": "a NUL"}.get(found[0], "a control character")
        raise HeaderError(f"{header} holds {named}")
    return value


def unstructured(header: str, value: str) -> bytes:
    """`Header: value` folded, without the final CRLF; RFC 2047 where the value is not plain ASCII."""
    checked(header, value)
    start = f"{header}: "
    plain = value.isascii() and "=?" not in value and value == value.strip() and "  " not in value
    if plain and len(start) + len(value) <= _LINE:
        return (start + value).encode()
    if plain and max(map(len, value.split(" "))) < _LINE - len(start):
        return _folded(start, value.split(" "))
    return _folded(start, _encoded_words(value, room=_LINE - len(start)))


def mailbox(header: str, name: str, address: str) -> bytes:
    """`Header: name <address>`, folded where it is long. Raises HeaderError for a name or address that cannot stand."""
    checked(header, name)
    name = " ".join(name.split())
    where = wire_address(address, header)
    if not name:
        return f"{header}: {where}".encode()
    if not name.isascii() or "=?" in name:
        words = _encoded_words(name, room=_LINE - len(header) - 2)
    elif _ATOMS.fullmatch(name):
        words = name.split(" ")
    else:
        words = ['"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"']
        if len(words[0]) > _LINE - len(header) - 2:
            words = _encoded_words(name, room=_LINE - len(header) - 2)
    return _folded(f"{header}: ", [*words, f"<{where}>"])


def wire_address(address: str, header: str = "The address") -> str:
    """The address as it goes over the wire: an international domain in its ASCII form, the part before @ as it is.

    Raises HeaderError for what is not one address of the form `name@domain`; quoted names before @ are not supported.
    """
    checked(header, address)
    if not _ADDRESS.fullmatch(address) or len(address) > _LONGEST_ADDRESS:
        raise HeaderError(f"{header} is not an e-mail address")
    local, _, domain = address.rpartition("@")
    if domain.isascii():
        return address
    return f"{local}@{_ascii_domain(domain, header)}"


@lru_cache(maxsize=1024)
def _ascii_domain(domain: str, header: str) -> str:
    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        raise HeaderError(f"{header} has a domain that cannot exist") from None


def _folded(start: str, words: list[str]) -> bytes:
    lines, line = [], start
    for number, word in enumerate(words):
        if number == 0:
            line += word
        elif len(line) + 1 + len(word) <= _LINE:
            line += " " + word
        else:
            lines.append(line)
            line = " " + word
    return "\r\n".join([*lines, line]).encode()


def _encoded_words(value: str, room: int) -> list[str]:
    """Base64 encoded-words of at most 75 characters, the first of at most `room`, none with half a character."""
    words: list[str] = []
    chunk = b""
    for character in value:
        raw = character.encode()
        most = (min(75, room if not words else _LINE - 1) - len("=?utf-8?b??=")) // 4 * 3
        if len(chunk) + len(raw) > most:
            words.append(_word(chunk))
            chunk = b""
        chunk += raw
    return [*words, _word(chunk)]


def _word(chunk: bytes) -> str:
    return f"=?utf-8?b?{binascii.b2a_base64(chunk, newline=False).decode()}?="


# ── Bodies ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def encoded_body(text: str) -> tuple[bytes, bytes]:
    """(Content-Transfer-Encoding, the body): every line at most 76 bytes, ends with CRLF.

    Short plain ASCII stays readable as 7bit; everything else is quoted-printable. Raises HeaderError for text that is
    not Unicode.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text and not text.endswith("\n"):
        text += "\n"
    if text.isascii() and "\0" not in text and "--=_" not in text and max(map(len, text.split("\n"))) <= _LINE:
        return b"7bit", text.replace("\n", "\r\n").encode()
    try:
        raw = text.replace("\n", "\r\n").encode()
    except UnicodeEncodeError:
        raise HeaderError("The body holds half a character") from None
    return b"quoted-printable", binascii.b2a_qp(raw, istext=True)


# ── Messages ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def send_id(key: str) -> str:
    """A name for a send that tells nothing about it: 32 hexadecimal digits, the same for the same key."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Skeleton:
    """What all messages of a sender have in common, encoded."""

    sender: bytes
    """The From line, and Reply-To where there is one."""
    domain: str
    """Of the sender's address, for Message-ID."""

    def fill(
        self,
        *,
        key: str,
        name: str,
        address: str,
        subject: str,
        text: str,
        html: str,
        date: datetime,
        unsubscribe_url: str,
    ) -> bytes:
        """The whole message. Raises HeaderError for a value that cannot stand in a header.

        `unsubscribe_url`: an https URL gives the two headers of RFC 8058, another only the first, an empty one neither.
        """
        identity = send_id(key)
        boundary = b"=_" + identity.encode()
        text_encoding, text_body = encoded_body(text)
        html_encoding, html_body = encoded_body(html)
        return b"".join(
            (
                self.sender,
                mailbox("To", name, address),
                b"\r\n",
                unstructured("Subject", subject),
                b"\r\nDate: ",
                _date(date.replace(microsecond=0)),
                b"\r\nMessage-ID: <",
                f"{identity}@{self.domain}".encode(),
                b">\r\n",
                _unsubscribe(unsubscribe_url),
                b"X-Winback-Send: ",
                identity.encode(),
                b'\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary="',
                boundary,
                b'"\r\n\r\n--',
                boundary,
                _TEXT_PART,
                text_encoding,
                b"\r\n\r\n",
                text_body,
                b"\r\n--",
                boundary,
                _HTML_PART,
                html_encoding,
                b"\r\n\r\n",
                html_body,
                b"\r\n--",
                boundary,
                b"--\r\n",
            )
        )


_TEXT_PART = b"\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
_HTML_PART = b"\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: "


@lru_cache(maxsize=256)
def skeleton(sender: str, reply_to: str = "") -> Skeleton:
    """For a sender like `Shop <hello@shop.example>`. Raises HeaderError when it has no address."""
    checked("From", sender)
    name, address = parseaddr(sender)
    lines = mailbox("From", name, address) + b"\r\n"
    if reply_to:
        checked("Reply-To", reply_to)
        lines += mailbox("Reply-To", *parseaddr(reply_to)) + b"\r\n"
    return Skeleton(sender=lines, domain=wire_address(address, "From").rpartition("@")[2])


@lru_cache(maxsize=64)
def _date(when: datetime) -> bytes:
    return format_datetime(when).encode()


def _unsubscribe(url: str) -> bytes:
    if not url:
        return b""
    checked("List-Unsubscribe", url)
    if not url.isascii() or " " in url or ">" in url or len(url) > 900:
        raise HeaderError("List-Unsubscribe is not a URL in its ASCII form")
    header = f"List-Unsubscribe: <{url}>\r\n".encode()
    if url.startswith("https://"):
        header += b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    return header
