"""Segment's calls: identify, track, page, screen, group, alias, and batches of them, read and checked.

A call is known by its `messageId`; one without is known by a hash of what it says, so the same line read twice counts
once. Its time is `timestamp`, or else `originalTimestamp`; `sentAt` and `receivedAt` are times of the transport.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

from profiles.amounts import with_amounts
from profiles.values import (
    MAX_ID,
    MAX_LINE,
    CallError,
    identifier_of,
    object_of,
    oddity,
    shown,
    snake_case,
    time_of,
)

Kind = Literal["identify", "track", "page", "screen", "group", "alias"]
KINDS: tuple[Kind, ...] = ("identify", "track", "page", "screen", "group", "alias")
_NAMES = {"page": "page_viewed", "screen": "screen_viewed"}
_TIMED = frozenset({"track", "page", "screen"})
_SUSPICIOUS = re.compile(rb"\\u0000|\\u[dD][89a-fA-F]|\d{19}|\d[eE]\+?\d{3}|\x00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, checked. Property and trait names are in snake case."""

    kind: Kind
    name: str
    """Of the event, in snake case: `product_added`; `page_viewed` and `screen_viewed`; otherwise the kind."""
    event_id: str
    body_hash: str
    at: int | None
    """Microseconds since 1970, UTC; None (only identify, group, alias): when it is received."""
    user_id: str | None
    anonymous_id: str | None
    previous_id: str | None
    properties: Mapping[str, Any]
    """Money in units of the currency, as it was sent."""
    traits: Mapping[str, Any]
    time_zone: str | None
    device: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BadCall:
    reason: str
    text: str | None = None
    """The call itself, when it was one of a batch."""


def read_line(line: bytes) -> list[Call | BadCall]:
    """The calls of one line of JSON: one, or those of a batch. Never raises for what the line says."""
    if len(line) > MAX_LINE:
        return [BadCall(reason=f"The line is longer than {MAX_LINE >> 20} MiB.")]
    try:
        value = _decode(line)
    except CallError as error:
        return [BadCall(reason=str(error))]
    odd = len(line) > 1 << 16 or line.count(b"{") + line.count(b"[") > 30 or _SUSPICIOUS.search(line) is not None
    return read_calls(value, checked=not odd)


def read_calls(value: object, *, checked: bool = False) -> list[Call | BadCall]:
    """The calls of one JSON value: an object, or `{"batch": [...]}`.

    `checked`: the value surely came from JSON and holds no huge or broken texts and numbers.
    """
    if isinstance(value, dict) and "batch" in value and "type" not in value:
        calls = value["batch"]
        if not isinstance(calls, list) or not calls:
            return [BadCall(reason="`batch` must be a list of calls, and not empty.")]
        shared = object_of("context", value.get("context")) if isinstance(value.get("context"), dict) else {}
        return [_inside(n, call, shared, checked) for n, call in enumerate(calls, start=1)]
    try:
        return [read_call(value, checked=checked)]
    except CallError as error:
        return [BadCall(reason=str(error))]


def read_call(value: object, *, checked: bool = False, context: Mapping[str, Any] | None = None) -> Call:
    """One call. `context` is that of its batch. Raises CallError."""
    if not isinstance(value, dict):
        raise CallError(f"The line is {shown(value)}, not an object in braces. Write one call on each line.")
    if not checked and (odd := oddity(value)):
        raise CallError(odd)
    kind = _kind(value.get("type"))
    user_id = identifier_of("userId", value.get("userId"))
    anonymous_id = identifier_of("anonymousId", value.get("anonymousId"))
    previous_id = identifier_of("previousId", value.get("previousId")) if kind == "alias" else None
    setting = {**(context or {}), **object_of("context", value.get("context"))}
    traits = object_of("context.traits", setting.get("traits"))
    if kind == "identify":
        traits = {**traits, **object_of("traits", value.get("traits"))}
    traits = _snaked(traits)
    if kind == "alias" and not (previous_id and user_id):
        raise CallError("An alias needs `previousId` and `userId`.")
    if not (user_id or anonymous_id or traits.get("email") or traits.get("phone")):
        raise CallError("The call names nobody. Give it `userId`, `anonymousId`, or an e-mail address in its traits.")
    name = _name(kind, value.get("event"))
    properties = with_amounts(name, _properties(kind, value))
    at = _time(kind, value)
    time_zone, device = _place(setting, traits)
    body = [kind, name, user_id, anonymous_id, previous_id, at, properties, traits, time_zone, device]
    digest = blake2b(_canonical(body).encode(), digest_size=16).hexdigest()
    return Call(
        kind=kind,
        name=name,
        event_id=identifier_of("messageId", value.get("messageId")) or digest,
        body_hash=digest,
        at=at,
        user_id=user_id,
        anonymous_id=anonymous_id,
        previous_id=previous_id,
        properties=properties,
        traits=traits,
        time_zone=time_zone,
        device=device,
    )


def _decode(line: bytes) -> object:
    try:
        return _DECODER.decode(line.decode().strip())
    except UnicodeDecodeError as error:
        raise CallError(f"Byte {error.start + 1} of the line is not UTF-8. Save the file as UTF-8.") from None
    except json.JSONDecodeError as error:
        if error.pos >= len(error.doc) or error.msg.startswith("Unterminated"):
            raise CallError("The line ends in the middle of its JSON.") from None
        raise CallError(f"The line is not JSON: {error.msg} at column {error.colno}.") from None
    except RecursionError:
        raise CallError("The call is nested far too deeply.") from None
    except ValueError:  # an integer of thousands of digits
        raise CallError("A number in the line is too large.") from None


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise CallError(f"The key {shown(twice)} is given twice in one object. Keep the right one.")
    return made


def _constant(text: str) -> object:
    raise CallError(f"{text} is not a number. Leave the value out when it is not known.")


_canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode
_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant)


def _inside(number: int, value: object, context: Mapping[str, Any], checked: bool) -> Call | BadCall:
    try:
        return read_call(value, checked=checked, context=context)
    except CallError as error:
        text = json.dumps(value, ensure_ascii=True, default=str)
        return BadCall(reason=f"Call {number} of the batch: {error}", text=text)


def _kind(value: object) -> Kind:
    known = ", ".join(KINDS)
    if value is None:
        raise CallError(f"The call has no `type`. Give it one of {known}.")
    if value not in KINDS:
        raise CallError(f"The type {shown(value)} is not known. Known are {known}.")
    return value


def _name(kind: Kind, event: object) -> str:
    if kind != "track":
        return _NAMES.get(kind, kind)
    if not isinstance(event, str) or not (name := snake_case(event)):
        raise CallError(f"`event` is {shown(event)}; a track call needs the event's name, like `Product Viewed`.")
    if len(name) > 200:
        raise CallError("`event` is longer than 200 characters.")
    if name in KINDS:
        raise CallError(f"An event cannot be called `{name}`: that is a type of calls.")
    return name


def _properties(kind: Kind, value: Mapping[str, Any]) -> dict[str, Any]:
    match kind:
        case "identify" | "alias":
            return {}
        case "group":
            group = identifier_of("groupId", value.get("groupId"))
            if group is None:
                raise CallError("A group call needs `groupId`.")
            return {**_snaked(object_of("traits", value.get("traits"))), "group_id": group}
    properties = _snaked(object_of("properties", value.get("properties")))
    if kind in _NAMES:  # the page's own name stands beside its properties
        named = {key: value[key] for key in ("name", "category") if isinstance(value.get(key), str)}
        properties = {**named, **properties}
    return properties


def _snaked(given: Mapping[str, Any]) -> dict[str, Any]:
    """Keys in snake case, so that playbooks can name them; a key that is in snake case already wins."""
    made: dict[str, Any] = {}
    for key, value in given.items():
        name = key if key.islower() and key.isidentifier() else snake_case(key)
        if name and (name == key or name not in given):
            made.setdefault(name, value) if name != key else made.__setitem__(name, value)
    return made


def _time(kind: Kind, value: Mapping[str, Any]) -> int | None:
    for field in ("timestamp", "originalTimestamp"):
        if value.get(field) is not None:
            return time_of(field, value[field])
    if kind in _TIMED:
        raise CallError("The call has no `timestamp`. Give the time at which it happened, like 2026-11-21T18:30:00Z.")
    return None


def _place(context: Mapping[str, Any], traits: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The time zone and the kind of device that the call tells of, as text."""
    zone = traits.get("time_zone") or traits.get("timezone") or context.get("timezone")
    told = context.get("device")
    device = told.get("type") if isinstance(told, dict) else traits.get("device")
    return tuple(value if isinstance(value, str) and 0 < len(value) <= MAX_ID else None for value in (zone, device))  # type: ignore[return-value]
