"""What an answer of an SMTP server means for one message: by stage, reply code and enhanced code (RFC 5321, 3463).

One rule above all: a final refusal is only what speaks about this recipient or this message. What is wrong with our own
set-up (a password, a relay that does not know us) defers, so that nobody is lost to a mistake that can be mended.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from dsl.delivery import Verdict


class Stage(StrEnum):
    """How far a message had come, in order."""

    CONNECT = "connect"
    HELLO = "hello"
    TLS = "tls"
    LOGIN = "login"
    SENDER = "sender"
    RECIPIENT = "recipient"
    DATA = "data"
    """After `DATA` and before the body's first byte."""
    BODY = "body"
    """After the body's first byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What became of a message, without the message."""

    verdict: Verdict
    reason: str
    detail: str = ""
    retry_after: timedelta | None = None
    suppress: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    stages: frozenset[Stage]
    codes: str
    """A pattern over the reply code."""
    enhanced: str
    """A pattern over the enhanced code, `5.1.1`; empty matches where there is none."""
    words: str
    """A pattern over the text, in small letters."""
    verdict: Verdict
    reason: str
    suppress: bool = False


_SETUP = frozenset({Stage.CONNECT, Stage.HELLO, Stage.TLS, Stage.LOGIN})
_LATER = frozenset({Stage.SENDER, Stage.RECIPIENT, Stage.DATA, Stage.BODY})
_ADDRESSED = frozenset({Stage.RECIPIENT, Stage.DATA, Stage.BODY})
_CONTENT = frozenset({Stage.DATA, Stage.BODY})
_ANY = ".*"
_NOBODY = "|".join(
    (
        r"user unknown|unknown (?:user|recipient|mailbox|local)|no such|does ?n[o']t exist|not exist|no mailbox",
        r"not found|invalid (?:recipient|mailbox|user|address)|recipient (?:unknown|invalid)",
        r"(?:user|mailbox) not known",
    )
)


def _rule(
    stages: frozenset[Stage] | Stage,
    codes: str,
    verdict: Verdict,
    reason: str,
    *,
    enhanced: str = _ANY,
    words: str = _ANY,
    suppress: bool = False,
) -> _Rule:
    return _Rule(
        stages=stages if isinstance(stages, frozenset) else frozenset({stages}),
        codes=codes,
        enhanced=enhanced,
        words=words,
        verdict=verdict,
        reason=reason,
        suppress=suppress,
    )


_REJECTED, _DEFERRED, _THROTTLED = Verdict.REJECTED, Verdict.DEFERRED, Verdict.THROTTLED

RULES: tuple[_Rule, ...] = (
    # Our own set-up: mended by us, so nobody is refused for it.
    _rule(_SETUP | _LATER, "421", _THROTTLED, "server_busy"),
    _rule(Stage.LOGIN, "454|4..", _DEFERRED, "login_unavailable"),
    _rule(Stage.LOGIN, "...", _DEFERRED, "login_refused"),
    _rule(Stage.TLS, "...", _DEFERRED, "starttls_refused"),
    _rule(_SETUP, "...", _DEFERRED, "server_refuses"),
    _rule(_LATER, "530|538|523", _DEFERRED, "login_required"),
    _rule(_LATER, "5..", _DEFERRED, "login_required", words=r".*(?:authentication|auth|login|starttls).{0,20}required"),
    _rule(Stage.RECIPIENT, "5..", _DEFERRED, "relay_denied", words=r".*relay"),
    # Rates: everybody waits.
    _rule(_LATER, "4..", _THROTTLED, "rate_limited", words=r".*(?:rate limit|too many (?:messages|mails|connections))"),
    _rule(_LATER, "4..", _THROTTLED, "rate_limited", enhanced=r"4\.7\.28|4\.3\.2"),
    # The message itself.
    _rule(_LATER, "552|5..", _REJECTED, "message_too_large", enhanced=r"5\.3\.4|5\.2\.3"),
    # This recipient.
    _rule(_ADDRESSED, "[45]..", _DEFERRED, "mailbox_full", enhanced=r"[45]\.2\.2"),
    _rule(Stage.RECIPIENT, "552", _DEFERRED, "mailbox_full"),
    _rule(_CONTENT, "552", _REJECTED, "message_too_large", enhanced="", words=r".*(?:size|large|exceed)"),
    _rule(_ADDRESSED, "5..", _REJECTED, "mailbox_unknown", enhanced=r"5\.1\.(?:1|6|10)", suppress=True),
    _rule(_ADDRESSED, "5..", _REJECTED, "mailbox_disabled", enhanced=r"5\.2\.1", suppress=True),
    _rule(Stage.RECIPIENT, "5..", _REJECTED, "domain_unknown", enhanced=r"5\.1\.2|5\.4\.4", suppress=True),
    _rule(Stage.RECIPIENT, "5..", _REJECTED, "address_invalid", enhanced=r"5\.1\.3", suppress=True),
    _rule(_ADDRESSED, "5..", _REJECTED, "address_needs_smtputf8", enhanced=r"5\.6\.7|5\.6\.9"),
    _rule(_ADDRESSED, "5..", _REJECTED, "refused_by_policy", enhanced=r"5\.7\.\d+"),
    _rule(Stage.RECIPIENT, "550|551|553|554", _REJECTED, "mailbox_unknown", words=f".*(?:{_NOBODY})", suppress=True),
    _rule(Stage.SENDER, "4..", _DEFERRED, "sender_deferred"),
    # The sender is ours, and the same for everybody.
    _rule(Stage.SENDER, "5..", _DEFERRED, "sender_rejected"),
    _rule(Stage.RECIPIENT, "4..", _DEFERRED, "recipient_deferred"),
    _rule(Stage.RECIPIENT, "5..", _REJECTED, "recipient_rejected"),
    _rule(_CONTENT, "4..", _DEFERRED, "message_deferred"),
    _rule(_CONTENT, "5..", _REJECTED, "message_rejected"),
    # Anything else is no answer at all. The body may be with them.
    _rule(Stage.BODY, "...?", Verdict.UNKNOWN, "answer_unreadable"),
    _rule(_LATER, ".*", _DEFERRED, "answer_unreadable"),
)
"""The first that matches is the meaning."""

_WAITS = {"server_busy": timedelta(minutes=5), "rate_limited": timedelta(minutes=5)}
_ENHANCED = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")
_ADDRESS = re.compile(r"<[^<>\s]*>|[^\s<>\"'(),:;]+@[^\s<>\"'(),:;]+")
_QUEUED = re.compile(r"queued as ([\w.\-]{4,64})|\bid=([\w.\-]{4,64})", re.IGNORECASE)


def meaning(stage: Stage, code: int, text: str) -> Meaning:
    """What a reply that is not the hoped-for one means at this stage."""
    found = _ENHANCED.match(text)
    enhanced = found[1] if found else ""
    words = " ".join(text.split()).lower()
    for rule in RULES:
        if (
            stage in rule.stages
            and re.fullmatch(rule.codes, str(code))
            and re.fullmatch(rule.enhanced, enhanced)
            and re.match(rule.words, words)
        ):
            return Meaning(
                verdict=rule.verdict,
                reason=rule.reason,
                detail=told(code, text, stage),
                retry_after=_WAITS.get(rule.reason),
                suppress=rule.suppress,
            )
    return Meaning(verdict=Verdict.DEFERRED, reason="answer_unreadable", detail=told(code, text, stage))


def told(code: int, text: str, stage: Stage) -> str:
    """The server's words, for people: without addresses, and nothing of what it says to a log-in."""
    if stage is Stage.LOGIN:
        return f"the server answered {code}"
    clean = _ADDRESS.sub("<address>", " ".join(text.split()))
    clean = "".join(character if character.isprintable() else "?" for character in clean)
    return f"the server answered {code} {clean[:200]}".rstrip()


def queue_id(text: str) -> str | None:
    """The name that the server gave the message it took, where it says one."""
    found = _QUEUED.search(text)
    return (found[1] or found[2]) if found else None
