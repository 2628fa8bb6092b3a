"""Audiences: who belongs to one, and telling the service outside."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flows.stages import asks_how_long, note_stages
from flows.watch import Plain, Watcher
from flows.world import World
from ledger import memberships
from ledger.memberships import Refreshed
from profiles.select import Moment, holds
from store.engine import read, write
from store.home import refuse_copies

if TYPE_CHECKING:
    from dsl.plan import Audience

BATCH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a service was told of an audience. Numbers of people."""

    added: int = 0
    removed: int = 0
    trouble: str | None = None
    """Why no more was told; the next time goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """An audience brought up to date. Numbers of people."""

    name: str
    as_of: datetime
    added: int
    removed: int
    members: int
    told: Told
    without_consent: int
    """Members of whom the service is not told: they did not agree to advertising, or have no address."""

    @property
    def headline(self) -> str:
        """A few words for the run's name: `12 added · 3 removed · 840 members`."""
        return f"{self.added:,} added · {self.removed:,} removed · {self.members:,} members"

    def as_run(self) -> dict[str, Any]:
        """As `winback run --json` prints it."""
        return {
            "name": self.name,
            "as_of": self.as_of.isoformat(),
            "add": self.added,
            "remove": self.removed,
            "members": self.members,
            "told": {"add": self.told.added, "remove": self.told.removed},
            "without_consent": self.without_consent,
            "trouble": [self.told.trouble] if self.told.trouble else [],
        }


def sync(world: World, audience: Audience, as_of: datetime, watch: Watcher | None = None) -> Synced:
    """Bring an audience up to date: its members, if it has rules, and what the service knows of them.

    It may be repeated or die anywhere; the next time goes on. In a rehearsal nobody is told of anything.
    Raises StoreError on a copy of the store.
    """
    watch = watch or Plain()
    with write(world.store) as connection:
        refuse_copies(connection)
    if asks_how_long((audience, world.lifecycle)):
        watch.run("stages", "note who is in which stage", lambda: note_stages(world, as_of))
    done = watch.run("members", "who belongs to it", lambda: _refresh(world, audience, as_of))
    watch.say(f"{done.added:,} added, {done.removed:,} removed, {done.members:,} members.")
    told = watch.run("tell", f"tell {audience.connector}", lambda: tell(world, audience.name, as_of), after=["members"])
    watch.say(f"The service was told of {told.added:,} added and {told.removed:,} removed.")
    if told.trouble:
        watch.say(f"{told.trouble.rstrip('.')}. The next run goes on.")
    with read(world.store) as connection:
        silent = memberships.without_consent(connection, audience.name)
    return Synced(
        name=audience.name, as_of=as_of, added=done.added, removed=done.removed, members=done.members, told=told,
        without_consent=silent,
    )  # fmt: skip


def _refresh(world: World, audience: Audience, as_of: datetime) -> Refreshed:
    with write(world.store) as connection:
        if audience.members is None:
            return Refreshed(added=0, removed=0, members=memberships.members(connection, audience.name))
        moment = Moment(as_of=as_of, zone=world.zone, consent=world.consent, lifecycle=world.lifecycle)
        return memberships.refresh(connection, audience.name, holds(audience.members, moment), as_of)


def tell(world: World, audience: str, as_of: datetime) -> Told:
    """Tell the service of everybody of whom it does not know what it should."""
    service, added, removed, after = world.ads, 0, 0, 0
    if service is None or world.rehearsing:
        return Told()
    while True:
        with read(world.store) as connection:
            some = memberships.untold(connection, audience, after, BATCH)
            if not some:
                return Told(added=added, removed=removed)
            add = [each.wanted_as for each in some if each.wanted_as]
            remove = [each.told_as for each in some if each.told_as]
            # Who leaves may have an address that another member keeps.
            kept = memberships.shared(connection, audience, remove) if remove else set()
        remove = [each for each in remove if each not in kept]
        # Outside of any transaction: what is told and not written down is told again, which does no harm.
        if (trouble := asyncio.run(service.change(audience, add=add, remove=remove))) is not None:
            return Told(added=added, removed=removed, trouble=trouble)
        with write(world.store) as connection:
            memberships.told(connection, audience, {each.profile_id: each.wanted_as for each in some}, as_of)
        added, removed, after = added + len(add), removed + len(remove), some[-1].profile_id
