"""Who is in which audience, and what the service outside knows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    false,
    func,
    literal,
    or_,
    select,
    true,
    update,
)

from dsl.catalog import MARKETING
from store.addresses import Sha256
from store.clock import micros
from store.schema import consents, memberships, profiles, traits
from store.upsert import chunks, insert_for

CHANNEL = "ads"
"""Only who agreed to this is told of outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    added: int
    removed: int
    members: int
    """After that, with those whom the service is not told of."""


def refresh(connection: Connection, audience: str, holds: ColumnElement[bool], as_of: datetime) -> Refreshed:
    """Make those its members for whom `holds`, over profiles and traits, and nobody else."""
    people = profiles.outerjoin(traits, traits.c.profile_id == profiles.c.id)
    belong = select(profiles.c.id).select_from(people).where(profiles.c.merged_into.is_(None), holds)
    still = belong.where(profiles.c.id == memberships.c.profile_id).correlate(memberships)
    mine = and_(memberships.c.audience == audience, memberships.c.member)
    removed = connection.execute(update(memberships).where(mine, ~still.exists()).values(_change(False, as_of)))
    added = _add(connection, audience, belong, as_of)
    return Refreshed(added=added, removed=removed.rowcount, members=members(connection, audience))


def change(connection: Connection, audience: str, people: Select[Any], *, add: bool, as_of: datetime) -> int:
    """Add or remove the profiles whose ids `people` selects. Returns for how many that changed something."""
    if add:
        return _add(connection, audience, people, as_of)
    mine = and_(memberships.c.audience == audience, memberships.c.member, memberships.c.profile_id.in_(people))
    return connection.execute(update(memberships).where(mine).values(_change(False, as_of))).rowcount


def members(connection: Connection, audience: str) -> int:
    """How many there are."""
    mine = and_(memberships.c.audience == audience, memberships.c.member)
    return connection.scalar(select(func.count()).select_from(memberships).where(mine)) or 0


def _change(member: bool, as_of: datetime) -> dict[str, Any]:
    return {"member": member, "changed_at": micros(as_of), "told_at": None}


def _add(connection: Connection, audience: str, people: Select[Any], as_of: datetime) -> int:
    # What is a member already is left out here, and not only by the conflict: SQLite counts rows that it leaves alone.
    known = memberships.alias("known")
    ids = people.subquery("belong")
    there = select(known.c.profile_id).where(
        known.c.audience == audience, known.c.profile_id == ids.c[0], known.c.member
    )
    rows = (
        select(literal(audience), ids.c[0], true(), literal(micros(as_of), BigInteger))
        .where(~there.exists())
        .distinct()
    )
    statement = insert_for(connection, memberships).from_select(
        ["audience", "profile_id", "member", "changed_at"], rows
    )
    done = connection.execute(
        statement.on_conflict_do_update(
            index_elements=[memberships.c.audience, memberships.c.profile_id],
            set_=_change(True, as_of),
            where=memberships.c.member == false(),
        ),
        execution_options={"preserve_rowcount": True},
    )
    return done.rowcount


# ── The service outside ───────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """A person of whom the service does not know what it should. Hashes are SHA-256 of addresses."""

    profile_id: int
    wanted_as: str | None
    """By which it should know them; None: it should not know them."""
    told_as: str | None
    """By which it does, or may; None: it does not."""

    @property
    def adding(self) -> bool:
        """It is to be told of them; otherwise it is to forget how it knew them, before it knows them anew."""
        return self.told_as in (None, self.wanted_as)


def untold(connection: Connection, audience: str, after: int, limit: int) -> list[Untold]:
    """Who was added, removed, or changed their mind or address since the service was told, by profile id above `after`.

    Those who did not agree to advertising, or have no address, it should not know.
    """
    wanted_as = _wanted_as()
    rows = connection.execute(
        select(*memberships.c["profile_id", "told_as"], wanted_as.label("wanted_as"))
        .select_from(_PEOPLE)
        .where(
            memberships.c.audience == audience,
            memberships.c.profile_id > after,
            or_(
                wanted_as.is_distinct_from(memberships.c.told_as),
                and_(memberships.c.told_as.is_not(None), memberships.c.told_at.is_(None)),
            ),
        )
        .order_by(memberships.c.profile_id)
        .limit(limit)
    )
    return [Untold(**row._mapping) for row in rows]


def shared(connection: Connection, audience: str, hashes: Sequence[str]) -> set[str]:
    """Those of `hashes` by which the service knows a person whom it should go on knowing: two may have one address."""
    found: set[str] = set()
    for some in chunks(hashes):
        mine = and_(memberships.c.audience == audience, memberships.c.told_as.in_(some))
        kept = select(memberships.c.told_as).select_from(_PEOPLE).where(mine, memberships.c.told_as == _wanted_as())
        found.update(connection.scalars(kept))
    return found


_PEOPLE = memberships.outerjoin(profiles, profiles.c.id == memberships.c.profile_id)


def _wanted_as() -> ColumnElement[str | None]:
    """By which hash the service should know somebody, over _PEOPLE; NULL: it should not."""
    agreed = select(consents.c.profile_id).where(
        consents.c.profile_id == memberships.c.profile_id,
        consents.c.channel == CHANNEL,
        consents.c.topic == MARKETING,
        consents.c.granted,
    )
    wanted = and_(memberships.c.member, profiles.c.merged_into.is_(None), agreed.exists())
    return case((wanted, Sha256(profiles.c.email)))


def telling(connection: Connection, audience: str, hashes: Mapping[int, str]) -> None:
    """The service is about to be told of these profiles by these hashes: from now on it may know them."""
    _write(connection, audience, hashes, None)


def told(connection: Connection, audience: str, known: Mapping[int, str | None], as_of: datetime) -> None:
    """The service knows these profiles by these hashes now, or does not know them (None)."""
    _write(connection, audience, known, as_of)


def _write(connection: Connection, audience: str, known: Mapping[int, str | None], at: datetime | None) -> None:
    if not known:
        return
    connection.execute(
        update(memberships)
        .where(memberships.c.audience == audience, memberships.c.profile_id == bindparam("person"))
        .values(told_as=bindparam("hashed"), told_at=None if at is None else micros(at)),
        [{"person": id, "hashed": hashed} for id, hashed in known.items()],
    )


def without_consent(connection: Connection, audience: str) -> int:
    """How many members the service is not told of, as they did not agree or have no address."""
    mine = and_(memberships.c.audience == audience, memberships.c.member, memberships.c.told_as.is_(None))
    return connection.scalar(select(func.count()).select_from(memberships).where(mine)) or 0


def names(connection: Connection, among: Sequence[str]) -> list[str]:
    """Those audiences that have rows."""
    found = select(memberships.c.audience).where(memberships.c.audience.in_(among)).distinct()
    return sorted(connection.scalars(found))
