"""A year in the life of a playbook: `python -m tests.acceptance.year --people 10000`.

People in five zones, through all changes of the clocks, in journeys of local times, dates, birthdays and waits for
events. When each message had to be planned, and sent or kept back by quiet hours and the cap, is worked out here by
looking at clocks a quarter of an hour at a time, without any code of the product.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select

from connectors.contract import Manifest
from connectors.templates import load_templates
from dsl.compile import compile_sources
from dsl.delivery import Message, Outcome, Verdict
from dsl.standard import standard_catalog
from flows.tick import tick
from flows.world import World
from profiles.calls import read_call
from profiles.ingest import Rules, ingest
from store.clock import instant
from store.engine import open_store, read
from store.schema import enrollments, identities, metadata, outbox

ZONES = ("Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo")
CHANGES = [
    date(2026, 3, 8),
    date(2026, 3, 29),
    date(2026, 4, 5),
    date(2026, 10, 4),
    date(2026, 10, 25),
    date(2026, 11, 1),
]
HOUR, DAY, QUARTER = timedelta(hours=1), timedelta(days=1), timedelta(minutes=15)
BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
BOOK = """policy:
  quiet hours 22:00 to 06:00
  limit email to 1 per 1 day

field renewal is date

playbook year:
  run every day at 09:00
  start on signed_up
  enter every time
  send email a
  wait until 09:00
  send email b
  wait until sunday 02:30
  send email c
  wait 1 day until 18:00
  send email d
  wait for product_viewed up to 5 days
  send email e
  wait until 3 days before renewal
  send email f
  wait until birthday
  send email g
"""


@dataclass(frozen=True, kw_only=True)
class Person:
    name: str
    zone: str
    birthday: date
    renewal: date
    signed_up: tuple[datetime, ...]
    viewed: tuple[datetime, ...]


@dataclass(slots=True)
class Provider:
    taken: Counter[str] = field(default_factory=Counter)
    manifest: Manifest = field(
        default_factory=lambda: Manifest(
            name="fake", channels=frozenset({"email"}), repeatable=False, batch=200, connections=100,
            longest=timedelta(seconds=1),
        )
    )  # fmt: skip

    async def send(self, messages: Sequence[Message]) -> AsyncIterator[Outcome]:
        for message in messages:
            self.taken[f"{message.address} {message.headers['Subject']} {message.key}"] += 1
            yield Outcome(key=message.key, verdict=Verdict.ACCEPTED)

    def accepted(self, keys: Sequence[str]) -> None:  # noqa: ARG002
        return None

    async def close(self) -> None: ...


# ── What must happen, by looking at clocks ────────────────────────────────────────────────────────────────────────────
@cache
def quarters(zone: str, day: date) -> tuple[tuple[datetime, str], ...]:
    """The quarters of an hour of a local day, with what clocks show."""
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) - 15 * HOUR
    shown = [(at + n * QUARTER, (at + n * QUARTER).astimezone(ZoneInfo(zone))) for n in range(54 * 4)]
    return tuple((at, f"{local:%H:%M}") for at, local in shown if local.date() == day)


@cache
def shows(zone: str, day: date, clock: str) -> datetime:
    """When clocks first show a time on a day. If they leap over it, as long after the leap as it lies in the gap."""
    found = quarters(zone, day)
    for at, shown in found:
        if shown == clock:
            return at
    before = max((at for at, shown in found if shown < clock), key=lambda at: dict(found)[at])
    late = datetime.strptime(clock, "%H:%M") - datetime.strptime(dict(found)[before], "%H:%M")  # noqa: DTZ007
    return before + late


def today(zone: str, at: datetime) -> date:
    return at.astimezone(ZoneInfo(zone)).date()


def over(letter: str, person: Person, entered: datetime, now: datetime) -> datetime:
    """When the wait before a message is over that begins at `now`."""
    zone, day = person.zone, today(person.zone, now)
    days = [day + n * DAY for n in range(9)]
    match letter:
        case "b":
            return next(at for each in days if (at := shows(zone, each, "09:00")) >= now)
        case "c":
            return next(at for each in days if each.weekday() == 6 and (at := shows(zone, each, "02:30")) >= now)
        case "d":
            return shows(zone, day + DAY, "18:00")
        case "e":
            return min([at for at in person.viewed if at > entered] + [now + 5 * DAY])
        case "f":
            return shows(zone, person.renewal - 3 * DAY, "00:00")
    returns = []
    for year in (day.year, day.year + 1):
        leap = (person.birthday.month, person.birthday.day) == (2, 29)
        returns.append(date(year, 2, 28) if leap and year % 4 else person.birthday.replace(year=year))
    return shows(zone, next(each for each in returns if each >= day), "00:00")


def expected(person: Person, ticks: Sequence[datetime]) -> dict[tuple[int, str], tuple[datetime, str, datetime | None]]:
    """By journey and message: when it is planned, what becomes of it, and when."""
    planned: list[tuple[int, str, datetime]] = []
    journeys, free_at = 0, BEGIN
    for signed_up in person.signed_up:
        now = next((at for at in ticks if at >= signed_up), None)
        # A tick lets people in before it moves them on: who comes to an end in a tick was inside when it was looked at.
        if now is None or now <= free_at or free_at == END:
            continue
        planned.append((journeys, "a", now))
        for letter in "bcdefg":
            due = over(letter, person, signed_up, now)
            later = next((at for at in ticks if at >= max(due, now)), None)
            if later is None:
                now = END
                break
            now = later
            planned.append((journeys, letter, now))
        journeys, free_at = journeys + 1, now
    found: dict[tuple[int, str], tuple[datetime, str, datetime | None]] = {}
    sent: list[datetime] = []
    awake = [
        (next((t for t in ticks if t >= at and loud(person.zone, t)), None), n, letter, at) for n, letter, at in planned
    ]
    for when, number, letter, at in sorted(awake, key=lambda each: (each[0] or END, each[2])):
        if when is None:
            found[number, letter] = at, "planned", None
        elif any(slot > when - DAY for slot in sent):
            found[number, letter] = at, "skipped", when
        else:
            sent.append(when)
            found[number, letter] = at, "accepted", when
    return found


def loud(zone: str, at: datetime) -> bool:
    return "06:00" <= f"{at.astimezone(ZoneInfo(zone)):%H:%M}" < "22:00"


# ── The year ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def schedule() -> list[datetime]:
    """Noon and midnight, and each hour around the changes of the clocks."""
    found = {BEGIN + n * 12 * HOUR for n in range(365 * 2)}
    for day in CHANGES:
        noon = datetime(day.year, day.month, day.day, tzinfo=UTC)
        found |= {noon + n * HOUR for n in range(-24, 36)}
    return sorted(found)


def somebody(number: int, chance: random.Random) -> Person:
    def moments(most: int) -> tuple[datetime, ...]:
        minutes = sorted(chance.sample(range(1, 363 * 24 * 60), chance.randint(1, most)))
        return tuple(BEGIN + timedelta(minutes=each, seconds=7) for each in minutes)

    return Person(
        name=f"p{number}", zone=chance.choice(ZONES),
        birthday=date(1996, 2, 29) if number % 50 == 0 else date(1970, 1, 1) + chance.randrange(12_000) * DAY,
        renewal=date(2026, 1, 10) + chance.randrange(340) * DAY, signed_up=moments(3), viewed=moments(4),
    )  # fmt: skip


def play(engine: Engine, folder: Path, *, people: int, seed: int = 0) -> dict[str, float]:
    """The year; what came of it: `messages`, `missed`, `double`, `wrong`, `ticks`, `seconds` of the ticks."""
    chance = random.Random(seed)
    crowd = [somebody(number, chance) for number in range(people)]
    rules = Rules(currency="USD", zone="UTC", hash_key=b"k" * 32)
    for some in range(0, people, 500):
        calls = [call for person in crowd[some : some + 500] for call in said(person)]
        ingest(engine, [read_call(call) for call in calls], rules=rules, received_at=BEGIN)
    (folder / "email").mkdir()
    for letter in "abcdefg":
        text = f"---\nsubject: {letter}\n---\n<p>{{{{ unsubscribe_url }}}}</p>\n"
        (folder / f"email/{letter}.html").write_text(text)
    made = compile_sources({"all.playbook": BOOK}, standard_catalog())
    assert made.ok, made.problems
    provider = Provider()
    world = World(
        store=engine, policy=made.policy, zone="UTC", consent=frozenset(), connectors={"email": provider},
        templates=load_templates(folder), senders={"email": "Shop <shop@shop.example>"}, secret=b"k" * 32,
        shop={"url": "https://shop.example", "currency": "USD", "name": "Shop", "address": "12 Sample Street"},
        addresses={"email": "email"}, live=False, rehearsing=False, wall=lambda: datetime.now(UTC), plans=made.plans,
    )  # fmt: skip
    ticks = schedule()
    began = time.monotonic()
    for at in ticks:
        tick(world, made.plans["year"], as_of=at)
    seconds = time.monotonic() - began
    return {"ticks": len(ticks), "seconds": round(seconds, 1), **compared(engine, crowd, ticks, provider)}


def said(person: Person) -> list[dict[str, object]]:
    traits = {
        "email": f"{person.name}@example.com", "email_consent": True, "time_zone": person.zone,
        "birthday": person.birthday.isoformat(), "renewal": person.renewal.isoformat(),
    }  # fmt: skip
    calls: list[dict[str, object]] = [{"type": "identify", "timestamp": BEGIN.isoformat(), "traits": traits}]
    for name, times in (("signed_up", person.signed_up), ("product_viewed", person.viewed)):
        calls += [{"type": "track", "event": name, "timestamp": at.isoformat()} for at in times]
    return [{"userId": person.name, "messageId": f"{person.name}-{n}", **call} for n, call in enumerate(calls)]


def compared(engine: Engine, crowd: Sequence[Person], ticks: Sequence[datetime], provider: Provider) -> dict[str, int]:
    with read(engine) as connection:
        named = select(identities.c.profile_id, identities.c.value).where(identities.c.kind == "user_id")
        names = {row.profile_id: row.value for row in connection.execute(named)}
        numbers: dict[int, int] = {}
        count = Counter[str]()
        order = select(enrollments.c.id, enrollments.c.profile_id).order_by(enrollments.c.entered_at)
        for id, profile in connection.execute(order):
            numbers[id] = count[names[profile]]
            count[names[profile]] += 1
        there = {
            (names[row.profile_id], numbers[row.enrollment_id], row.template): (
                instant(row.planned_at), row.state, None if row.settled_at is None else instant(row.settled_at)
            )
            for row in connection.execute(select(outbox))
        }  # fmt: skip
    must = {(p.name, *key): value for p in crowd for key, value in expected(p, ticks).items()}
    accepted = sum(state == "accepted" for _, state, _ in must.values())
    odd = [(key, must[key], there[key]) for key in must.keys() & there.keys() if must[key] != there[key]]
    for each in [*odd[:3], *list(must.keys() - there.keys())[:3], *list(there.keys() - must.keys())[:3]]:
        print("  differs:", each)
    return {
        "messages": len(must),
        "sent": accepted,
        "kept back by the cap": sum(state == "skipped" for _, state, _ in must.values()),
        "missed": len(must.keys() - there.keys()),
        "double": len(there.keys() - must.keys()) + sum(many - 1 for many in provider.taken.values()),
        "wrong": len(odd) + abs(provider.taken.total() - accepted),
    }


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--people", type=int, default=10_000)
    asked.add_argument("--seed", type=int, default=0)
    chosen = asked.parse_args()
    with TemporaryDirectory() as folder:
        engine = open_store(f"sqlite:///{folder}/winback.db")
        metadata.create_all(engine)
        print(play(engine, Path(folder), people=chosen.people, seed=chosen.seed))


if __name__ == "__main__":
    main()
