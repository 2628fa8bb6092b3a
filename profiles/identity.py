"""Who a call is about: profiles found by their identifiers, made, and joined.

Identifiers are looked up from the strongest to the weakest: user id, e-mail, phone, anonymous id. The first that is
known names the person; profiles found by the others are the same person, and join, unless
- both have a user id (only an alias joins two user ids), or
- nothing but a device (the anonymous id) connects them, and their e-mail addresses differ.
A profile that does not join keeps its identifiers; the call goes to the person found first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from dsl.conditions import JSON
from profiles.attributes import put
from profiles.calls import Call
from profiles.consent import Consent, newer

IdentifierKind = Literal["user_id", "email", "phone", "anonymous_id"]
Identifier = tuple[IdentifierKind, str]
_NEW = 1 << 62


@dataclass(slots=True, eq=False)
class Person:
    """A profile at work in a batch. Not frozen: calls of the batch change it one after another."""

    id: int | None
    """None: not in the store yet."""
    born: int
    """Smaller is older: the profile's id, or for new ones a number after all ids."""
    bucket: int
    created_at: int
    attributes: dict[str, JSON]
    """`email`, …, `user_id`, `created_at` (when a trait gave it), and `custom.NAME`."""
    set_at: dict[str, int]
    consents: dict[tuple[str, str], Consent] = field(default_factory=dict)
    """Those of this batch."""
    absorbed: list[int] = field(default_factory=list)
    """Profiles of the store that this one takes over."""
    changed: bool = False
    joined: Person | None = None

    def root(self) -> Person:
        """The person that this one has become a part of, or itself."""
        person = self
        while person.joined is not None:
            person = person.joined
        return person


def bucket_of(identifier: Identifier) -> int:
    """A stable hash of an identifier, evenly over 0 … 2^31-2: experiments and holdouts cut it into shares."""
    kind, value = identifier
    return int.from_bytes(sha256(f"{kind}:{value}".encode()).digest()[:8]) % (2**31 - 1)


def identifiers_of(call: Call, attributes: Mapping[str, JSON]) -> tuple[Identifier, ...]:
    """Those of a call, from the strongest to the weakest. `attributes` are the call's, checked."""
    email, phone = attributes.get("email"), attributes.get("phone")
    found: tuple[tuple[IdentifierKind, Any], ...] = (
        ("user_id", call.user_id),
        ("email", email.lower() if isinstance(email, str) else None),
        ("phone", phone),
        ("anonymous_id", call.anonymous_id),
    )
    return tuple((kind, value) for kind, value in found if value)


class Roster:
    """The people that the calls of a batch are about. `known` are those that the store has for their identifiers."""

    def __init__(self, known: Mapping[Identifier, Person]) -> None:
        self._people = dict(known)
        self.made: list[Person] = []
        self.identities: dict[Identifier, Person] = {}
        """Identifiers that the store does not have yet."""

    def find(self, identifier: Identifier) -> Person | None:
        person = self._people.get(identifier)
        return person.root() if person else None

    def person_for(self, identifiers: tuple[Identifier, ...], at: int) -> Person:
        """The person whom these identifiers of one call name: found, joined, or made."""
        target: Person | None = None
        named = dict(identifiers)
        for kind, value in identifiers:
            found = self.find((kind, value))
            if found is None or found is target:
                continue
            if not _same(target, named, found, by=kind):
                continue
            target = found if target is None else _join(target, found)
        if target is None:
            free = next((each for each in identifiers if each not in self._people), identifiers[0])
            target = Person(
                id=None,
                born=_NEW + len(self.made),
                bucket=bucket_of(free),
                created_at=at,
                attributes={},
                set_at={},
            )
            self.made.append(target)
        self._attach(identifiers, target)
        if "user_id" in named and target.attributes.get("user_id") is None:
            target.attributes["user_id"] = named["user_id"]
            target.changed = True
        return target

    def alias(self, previous: str, user_id: str, at: int) -> Person:
        """Join what is known as `previous`, a user id or an anonymous id, to the user: so alone two user ids join."""
        identifiers: tuple[Identifier, ...] = (("user_id", user_id), ("user_id", previous), ("anonymous_id", previous))
        target: Person | None = None
        for identifier in identifiers:
            found = self.find(identifier)
            if found is not None and found is not target:
                target = found if target is None else _join(target, found)
        if target is None:
            target = self.person_for(identifiers[:1], at)
        self._attach(identifiers, target)
        target.changed |= put(target.attributes, target.set_at, "user_id", user_id, at)
        return target

    def _attach(self, identifiers: Iterable[Identifier], person: Person) -> None:
        for identifier in identifiers:
            if identifier not in self._people:
                self._people[identifier] = person
                self.identities[identifier] = person


def _same(target: Person | None, named: Mapping[IdentifierKind, str], found: Person, *, by: IdentifierKind) -> bool:
    """Whether the person found by an identifier of that kind is the one that the call names."""
    if by == "user_id":
        return True
    user = "user_id" in named or (target is not None and target.attributes.get("user_id") is not None)
    if user and found.attributes.get("user_id") is not None:
        return False
    if by != "anonymous_id":
        return True
    email = named.get("email") or (target.attributes.get("email") if target is not None else None)
    other = found.attributes.get("email")
    if not isinstance(email, str) or not isinstance(other, str):
        return True
    return email.lower() == other.lower()


def _join(target: Person, other: Person) -> Person:
    """Make two people one. The target stays, with the bucket of the older profile: experiments stay as they are."""
    if other.born < target.born:
        target.born, target.bucket = other.born, other.bucket
    if target.id is None:
        target.id = other.id
    elif other.id is not None:
        target.absorbed.append(other.id)
    target.absorbed += other.absorbed
    for name, value in other.attributes.items():
        if name != "user_id":
            put(target.attributes, target.set_at, name, value, other.set_at.get(name, 0))
    for name, at in other.set_at.items():
        if name not in other.attributes:  # taken away at that time
            put(target.attributes, target.set_at, name, None, at)
    _join_user_ids(target, other)
    target.created_at = min(target.created_at, other.created_at)
    for key, consent in other.consents.items():
        give(target, key, consent)
    target.changed = True
    other.joined = target
    return target


def _join_user_ids(target: Person, other: Person) -> None:
    """The user id that an alias set last names the person; one that no alias set is older than any."""
    if other.attributes.get("user_id") is None:
        return
    at, other_at = target.set_at.get("user_id", -1), other.set_at.get("user_id", -1)
    if target.attributes.get("user_id") is None or other_at > at:
        target.attributes["user_id"] = other.attributes["user_id"]
        target.set_at.pop("user_id", None)
        if other_at >= 0:
            target.set_at["user_id"] = other_at


def give(person: Person, key: tuple[str, str], consent: Consent) -> None:
    """Note a consent of the batch, by (channel, topic)."""
    known = person.consents.get(key)
    person.consents[key] = consent if known is None else newer(known, consent)
