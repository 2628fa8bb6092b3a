"""Journeys by chance, held to a model: `python -m tests.faults.machine --examples 2000 [--store URL]` runs more of it.

Whatever happens (events late, twice and out of order, ticks that die or run beside each other, providers that fail,
edits, joined profiles, clocks that jump), the store must say of every person and message what the model says, and the
provider must have been given nothing twice.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, ClassVar, TypeVar

from hypothesis import HealthCheck, Phase, currently_in_test_context, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sqlalchemy import Engine, delete, event, select

from connectors.contract import Manifest
from connectors.templates import TemplateSet, load_templates
from dsl.compile import Compiled, compile_sources
from dsl.delivery import Message, Outcome, Verdict
from dsl.standard import standard_catalog
from flows.tick import tick
from flows.watch import Plain
from flows.world import World
from ledger import outbox as states
from ledger.instance import instance_id, send_key
from profiles.calls import Call, read_call
from profiles.ingest import Rules, ingest
from store.addresses import address_hash
from store.clock import instant, micros
from store.engine import open_store, read, write
from store.schema import enrollments, facts, identities, metadata, outbox, suppressions
from store.upsert import insert_new
from tests.faults.model import DAY, HOUR, Died, Journey, Person, Shop, Step

BEGIN = datetime(2026, 3, 6, 14, tzinfo=UTC)
"""Two days before the clocks change in New York, three weeks before they do in Oslo."""
ZONES = ("Europe/Oslo", "America/New_York", "Asia/Kolkata", "Nowhere/At_All")
SECRET = b"k" * 32
SHOP = {"url": "https://shop.example", "currency": "USD", "name": "Shop", "address": "12 Sample Street"}
JUMPS = (
    [timedelta(minutes=20)] * 3
    + [HOUR, 5 * HOUR, 13 * HOUR, DAY] * 5
    + [2 * DAY, 2 * DAY, 8 * DAY, 23 * DAY, 240 * DAY]
)
WAITS = [
    ("wait 2 hours", ("hours", "2")), ("wait 2 days", ("hours", "48")), ("wait until 09:00", ("clock", "09:00")),
    ("wait until 02:30", ("clock", "02:30")), ("wait until sunday 02:30", ("clock", "02:30", "sunday")),
    ("wait 1 day until 18:00", ("days", "1", "18:00")), ("wait for product_viewed up to 3 days", ("for", "3")),
]  # fmt: skip
BOOK = """policy:
  quiet hours 21:00 to 08:00
  limit email to 2 per 1 day

field vip is yes_no

playbook journey:
  run every day at 09:00
  start {start}
  enter {enter}
  leave on order_completed
{steps}
"""
STARTS = {"on": "on signed_up", "when": "when vip is yes"}
ENTERS: dict[str, timedelta | None] = {"every time": -4000 * DAY, "again after 3 days": 3 * DAY, "once": None}
FAULTS = ("accepted", "unknown", "lost", "rejected", "bounced", "deferred", "down", "throttled", "crash")
T = TypeVar("T")


# ── The playbook, as text and for the model ───────────────────────────────────────────────────────────────────────────
Line = tuple[str, ...]
"""`send a`, `wait N` (of WAITS), `if b c`."""


def text(lines: Sequence[Line]) -> str:
    said = []
    for kind, *words in lines:
        if kind == "send":
            said.append(f"send email {words[0]}")
        elif kind == "wait":
            said.append(WAITS[int(words[0])][0])
        else:
            said += ["if has product_viewed since entry:", f"  send email {words[0]}", "otherwise:"]
            said.append(f"  send email {words[1]}")
    return "\n".join(f"  {line}" for line in said)


def meant(lines: Sequence[Line]) -> tuple[Step, ...]:
    steps: list[Step] = []
    for kind, *words in lines:
        if kind == "send":
            steps.append(("send", f"send:{words[0]}"))
        elif kind == "wait":
            steps.append(WAITS[int(words[0])][1])
        else:
            steps.append(("if", f"if/1/send:{words[0]}", f"if/otherwise/send:{words[1]}"))
    return tuple(steps)


@lru_cache(maxsize=4096)
def compiled(source: str) -> Compiled:
    made = compile_sources({"all.playbook": source}, standard_catalog())
    assert made.ok, made.problems
    return made


# ── The outside world ─────────────────────────────────────────────────────────────────────────────────────────────────
MANIFEST = Manifest(
    name="fake",
    channels=frozenset({"email"}),
    repeatable=False,
    batch=100,
    connections=20,
    longest=timedelta(seconds=1),
)


@dataclass(slots=True)
class Provider:
    """Keeps what it takes, and answers as it is told."""

    taken: Counter[str] = field(default_factory=Counter)
    faults: Mapping[str, str] = field(default_factory=dict)
    within: Callable[[], None] | None = None
    """Done once, in the middle of a call."""
    manifest: Manifest = MANIFEST

    async def send(self, messages: Sequence[Message]) -> AsyncIterator[Outcome]:
        for message in messages:
            fault = self.faults.get(message.headers["Subject"], "accepted")
            if fault in ("accepted", "unknown", "crash"):
                self.taken[message.key] += 1
            if self.within is not None:
                within, self.within = self.within, None
                other = Thread(target=within)
                other.start()
                other.join()
            match fault:
                case "crash":
                    raise Died
                case "accepted":
                    yield Outcome(key=message.key, verdict=Verdict.ACCEPTED)
                case "rejected" | "bounced":
                    yield Outcome(key=message.key, verdict=Verdict.REJECTED, suppress=fault == "bounced")
                case "deferred":
                    yield Outcome(key=message.key, verdict=Verdict.DEFERRED, reason="greylisted")
                case "down":
                    yield Outcome(key=message.key, verdict=Verdict.DEFERRED, reason="connection_refused")
                case "throttled":
                    yield Outcome(key=message.key, verdict=Verdict.THROTTLED, retry_after=HOUR)
                case "unknown":
                    yield Outcome(key=message.key, verdict=Verdict.UNKNOWN, reason="reset")

    def accepted(self, keys: Sequence[str]) -> None:  # noqa: ARG002
        return None

    async def close(self) -> None: ...


@dataclass(slots=True)
class Meddler(Plain):
    """Does something just before one of a tick's phases."""

    before: str = ""
    meddle: Callable[[], None] = lambda: None

    def run(self, key: str, name: str, work: Callable[[], T], *, after: Sequence[str] = ()) -> T:
        if key == self.before:
            self.meddle()
        return Plain.run(self, key, name, work, after=after)


def templates(folder: Path) -> TemplateSet:
    (folder / "email").mkdir()
    for name in "abcdefgh":
        (folder / f"email/{name}.html").write_text(f"---\nsubject: {name}\n---\n<p>{{{{ unsubscribe_url }}}}</p>\n")
    return load_templates(folder)


# ── The machine ───────────────────────────────────────────────────────────────────────────────────────────────────────
PEOPLE = ("ann", "bob", "cyd", "dan")
AGES = [timedelta(), timedelta(minutes=10), 5 * HOUR, 20 * HOUR, 30 * HOUR, 3 * DAY]
EVENTS = ["signed_up", "product_viewed", "order_completed"]
Draw = Callable[[random.Random], Any]


def one_of(values: Sequence[Any]) -> Draw:
    return lambda chance: chance.choice(values)


WEIGHTS = {
    "event": 18, "twice": 2, "consent": 3, "change": 10, "move": 2, "suppress": 1, "clock": 20, "edit": 5,
    "tick": 13, "tick_with_faults": 10, "tick_that_dies": 6, "two_ticks": 5, "event_within_a_tick": 5, "resolve": 6,
}  # fmt: skip
"""How often which step is taken. `merge` is not among them: the model does not know yet which of two journeys of people
who become one goes on (the one that has sent more); tests/profiles/test_identity.py and tests/flows hold that."""
ARGUMENTS: dict[str, dict[str, Draw]] = {
    "event": {
        "who": lambda chance: chance.sample(PEOPLE, chance.randint(1, 3)), "name": one_of(EVENTS + EVENTS[:1]),
        "age": one_of([timedelta()] * 3 + AGES),
    },
    "twice": {"back": one_of(range(1, 9))},
    "consent": {"who": one_of(PEOPLE), "agrees": one_of([True, True, False])},
    "change": {"who": one_of(PEOPLE), "vip": one_of([True, True, False])},
    "move": {"who": one_of(PEOPLE), "zone": one_of(ZONES[:3])},
    "suppress": {"who": one_of(PEOPLE)},
    "clock": {"jump": one_of(JUMPS)},
    "edit": {
        "how": one_of(["add", "remove", "rename", "reorder", "wait"]), "place": one_of(range(7)),
        "wait": one_of(range(len(WAITS))),
    },
    "tick": {},
    "tick_with_faults": {"faults": lambda chance: {n: chance.choice(FAULTS) for n in chance.sample("abcdefgh", 4)}},
    "tick_that_dies": {"phase": one_of(range(8))},
    "two_ticks": {
        "phase": one_of(range(8)), "fault": one_of(["accepted", "unknown", "lost"]), "within": one_of([True, False]),
    },
    "event_within_a_tick": {"phase": one_of(range(8)), "who": one_of(PEOPLE), "name": one_of(EVENTS)},
    "resolve": {},
}  # fmt: skip


class Machine(RuleBasedStateMachine):
    """`made` gives an empty store for each example; `mail` has the templates."""

    made: Callable[[], Engine]
    mail: TemplateSet
    steps: ClassVar[Counter[str]] = Counter()
    ends: ClassVar[Counter[str]] = Counter()
    """What became of messages and journeys, over all stories."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = type(self).made()
        self.provider = Provider()
        self.now, self.number, self.taken = BEGIN, 0, 0
        self.rows: dict[Journey, int] = {}
        self.said: list[Call] = []
        self.told: list[str] = []

    def teardown(self) -> None:
        if hasattr(self, "shop"):
            Machine.ends.update(f"{each.state} {each.reason or ''}".strip() for each in self.shop.queue)
            Machine.ends.update(f"journey {each.state}" for each in self.shop.journeys)
        self.engine.dispose()

    @initialize(
        story=st.integers(0, 2**64 - 1),
        start=st.sampled_from(sorted(STARTS)),
        enter=st.sampled_from(sorted(ENTERS)),
        first=st.integers(0, 6),
    )
    def begin(self, story: int, start: str, enter: str, first: int) -> None:
        self.story, self.start, self.enter = story, start, enter
        self.lines: list[Line] = [("send", "a"), ("wait", str(first)), ("send", "b"), ("if", "c", "d")]
        self.shop = Shop(trigger=start, again=ENTERS[enter], versions=[meant(self.lines)])
        self.people: dict[str, Person] = {}
        for name, zone in zip(PEOPLE, ZONES, strict=True):
            email = None if name == "dan" else f"{name}@example.com"
            known = "UTC" if zone.startswith("Nowhere") else zone
            facts = {"email": email, "zone": known, "agrees": True, "vip": False}
            never = datetime.min.replace(tzinfo=UTC)
            self.people[name] = Person(
                {key: (never if value in (None, "UTC") else self.now, value) for key, value in facts.items()}
            )
            self.identify(name, email_consent=True, time_zone=zone, vip=False, **({"email": email} if email else {}))
            self.passed()

    def identify(self, name: str, **traits: Any) -> None:
        self.call({"type": "identify", "userId": name, "traits": traits})

    def call(self, call: dict[str, Any], at: datetime | None = None) -> int:
        self.number += 1
        made = read_call({"messageId": f"m{self.number}", "timestamp": (at or self.now).isoformat(), **call})
        self.take(made)
        return self.number

    def take(self, *calls: Call) -> None:
        done = ingest(
            self.engine, calls, rules=Rules(currency="USD", zone="UTC", hash_key=SECRET), received_at=self.now
        )
        assert not done.counts.rejected
        self.said += calls

    def passed(self, by: timedelta = timedelta(seconds=1)) -> None:
        self.now += by

    @rule(seed=st.integers(0, 2**64 - 1))
    def anything(self, seed: int) -> None:
        """One step, by chance. (Rules of hypothesis's own choice are mostly the same few ones.)"""
        self.taken += 1
        chance = random.Random(f"{self.story} {seed} {self.taken}")
        name = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        given = {argument: draw(chance) for argument, draw in ARGUMENTS[name].items()}
        if name != "resolve" or any(each.state in ("unknown", "assumed_sent") for each in self.shop.queue):
            self.told.append(f"{name} {given} at {self.now:%d %b %H:%M:%S}")
            if currently_in_test_context():
                note(self.told[-1])
            Machine.steps[name] += 1
            self.passed()
            getattr(self, name)(**given)

    # ── What happens to people ────────────────────────────────────────────────────────────────────────────────────────
    def event(self, who: Sequence[str], name: str, age: timedelta) -> None:
        for each in who:
            self.happens(each, name, age)

    def happens(self, who: str, name: str, age: timedelta = timedelta()) -> None:
        at = self.now - age
        properties = {"order_id": str(self.number), "total": 10} if name == "order_completed" else {}
        number = self.call({"type": "track", "userId": who, "event": name, "properties": properties}, at)
        self.people[who].events.append((at, number, name))

    def twice(self, back: int) -> None:
        self.take(*self.said[-back:])

    def consent(self, who: str, agrees: bool) -> None:
        self.people[who].facts["agrees"] = (self.now, agrees)
        self.identify(who, email_consent=agrees)

    def change(self, who: str, vip: bool) -> None:
        self.people[who].facts["vip"] = (self.now, vip)
        self.identify(who, vip=vip)

    def move(self, who: str, zone: str) -> None:
        self.people[who].facts["zone"] = (self.now, zone)
        self.identify(who, time_zone=zone)

    def suppress(self, who: str) -> None:
        email = self.people[who].facts["email"][1]
        if email is not None:
            self.shop.suppressed.add(email)
            with write(self.engine) as connection:
                row = {"channel": "email", "address_hash": address_hash(str(email), SECRET), "reason": "complaint"}
                connection.execute(insert_new(connection, suppressions).values(at=micros(self.now), **row))

    def merge(self, kept: str, gone: str) -> None:
        one, other = self.people[kept], self.people[gone]
        if one is not other:
            self.call({"type": "alias", "userId": kept, "previousId": gone})
            self.shop.join(one, other, self.now)
            self.people = {name: one if each is other else each for name, each in self.people.items()}
            self.same()

    # ── What happens to the playbook ──────────────────────────────────────────────────────────────────────────────────
    def clock(self, jump: timedelta) -> None:
        self.passed(jump)

    def edit(self, how: str, place: int, wait: int) -> None:
        lines = list(self.lines)
        free = [name for name in "abcdefgh" if not any(name in words for _, *words in lines)]
        place %= len(lines) + (how in ("add", "wait"))
        match how:
            case "add" if free:
                lines.insert(place, ("send", free[0]))
            case "wait" if ("wait", str(wait)) not in lines:
                lines.insert(place, ("wait", str(wait)))
            case "remove" if len(lines) > 2:
                del lines[place]
            case "rename" if free and lines[place][0] == "send":
                lines[place] = ("send", free[-1])
            case "reorder":
                lines.append(lines.pop(place))
        if meant(lines) not in self.shop.versions:
            self.lines = lines
            self.shop.versions.append(meant(lines))

    # ── Ticks ─────────────────────────────────────────────────────────────────────────────────────────────────────────
    def tick(self) -> None:
        self.both({})

    def tick_with_faults(self, faults: dict[str, str]) -> None:
        self.both(faults)

    def tick_that_dies(self, phase: int) -> None:
        self.both({}, dies=self.phases[phase % len(self.phases)])

    def two_ticks(self, phase: int, fault: str, within: bool) -> None:
        self.both(dict.fromkeys("abcdefgh", fault), beside="" if within else self.phases[phase % len(self.phases)])

    def event_within_a_tick(self, phase: int, who: str, name: str) -> None:
        self.both({}, event=(self.phases[phase % len(self.phases)], who, name))

    def resolve(self) -> None:
        each = next(each for each in self.shop.queue if each.state in ("unknown", "assumed_sent"))
        with write(self.engine) as connection:
            row, step = self.rows[each.journey], each.step
            mine = (outbox.c.enrollment_id == row, outbox.c.step == step)
            id = connection.execute(select(outbox.c.id).where(*mine)).scalar_one()
            if self.provider.taken[send_key(instance_id(connection), "journey", row, step, 1)]:
                assert states.found_sent(connection, [id], "told", self.now) == 1
                each.state = "accepted"
            else:
                assert states.found_unsent(connection, [id], "told", self.now) == 1
                each.state, each.slot, each.due = "planned", None, self.now
        self.same()

    @property
    def phases(self) -> list[str]:
        sends = [id for kind, *ids in self.shop.versions[-1] if kind in ("send", "if") for id in ids]
        return ["settle", "leave", "enter", "advance", *sends]

    def both(
        self,
        faults: dict[str, str],
        dies: str = "",
        beside: str | None = None,
        event: tuple[str, str, str] | None = None,
    ) -> None:
        """A tick of the real thing and of the model. `dies`: before this phase; `beside`: another tick runs before this
        phase, or in the middle of the first call of the provider; `event`: it comes before this phase."""
        phases = self.shop.tick(self.now, list(dict.fromkeys(self.people.values())), faults)
        stop = dies or (event[0] if event else "")
        for _ in range(self.phases.index(stop) if stop else 0):
            next(phases)
        self.provider.faults, self.provider.within = faults, None
        meddle: Callable[[], object] = list
        if dies:
            meddle = self.die
        elif event:
            meddle = lambda: self.happens(event[1], event[2])  # noqa: E731
        elif beside is not None:
            meddle = self.real
            self.provider.within = None if beside else self.real
        crashed = self.died(lambda: self.real(Meddler(before=stop or beside or "", meddle=meddle)))
        assert crashed == (self.died(lambda: list(phases)) if not dies else True)
        self.provider.within = None
        self.enrolled()
        self.same(waited="deferred" in faults.values())

    def real(self, watch: Plain | None = None) -> None:
        source = BOOK.format(start=STARTS[self.start], enter=self.enter, steps=text(self.lines))
        made = compiled(source)
        world = World(
            store=self.engine, policy=made.policy, zone="UTC", consent=frozenset(), connectors={"email": self.provider},
            templates=self.mail, shop=SHOP, secret=SECRET,
            senders={"email": "Shop <shop@shop.example>"}, addresses={"email": "email"}, live=False, rehearsing=False,
            wall=lambda: datetime.now(UTC), plans=made.plans,
        )  # fmt: skip
        tick(world, made.plans["journey"], as_of=self.now, watch=watch or Plain())

    @staticmethod
    def die() -> None:
        raise Died

    @staticmethod
    def died(work: Callable[[], object]) -> bool:
        try:
            work()
        except Died:
            return True
        return False

    # ── Held against each other ───────────────────────────────────────────────────────────────────────────────────────
    def enrolled(self) -> None:
        """Find the rows of the model's new journeys."""
        with read(self.engine) as connection:
            asked = select(identities.c.value, identities.c.profile_id).where(identities.c.kind == "user_id")
            ids = {self.people[name]: id for name, id in connection.execute(asked)}
            rows = connection.execute(select(*enrollments.c["id", "profile_id", "entered_at"])).all()
        there = {(row.profile_id, row.entered_at): row.id for row in rows if row.id not in self.rows.values()}
        for each in self.shop.journeys:
            if each not in self.rows:
                key = ids[each.person], micros(each.entered)
                assert key in there, f"not let in: {each}"
                self.rows[each] = there.pop(key)
        assert not there, f"let in by mistake: {there}"

    def same(self, waited: bool = False) -> None:
        with read(self.engine) as connection:
            inside = {row.id: row for row in connection.execute(select(enrollments))}
            sent = {(row.enrollment_id, row.step): row for row in connection.execute(select(outbox))}
            instance = instance_id_of(connection)
        for journey, id in self.rows.items():
            due = None if journey.state != "active" else micros(journey.due)
            assert (inside[id].state, inside[id].due_at) == (journey.state, due), (journey, inside[id])
        assert len(sent) == len(self.shop.queue)
        for each in self.shop.queue:
            row = sent[self.rows[each.journey], each.step]
            if waited and each.state == row.state == "planned" and row.attempts and each.due <= self.now:
                pause = instant(row.due_at) - self.now  # by chance
                full = min(timedelta(minutes=2**each.attempts), 6 * HOUR)
                assert 0.75 * full <= pause <= 1.25 * full
                each.due = instant(row.due_at)
            reason = row.reason if row.state in ("skipped", "cancelled") else None
            told = (row.state, reason, row.slot_at, row.due_at if row.state == "planned" else None)
            wanted = (
                each.state, each.reason, each.slot and micros(each.slot),
                micros(each.due) if each.state == "planned" else None,
            )  # fmt: skip
            assert told == wanted, (each, row)
            key = send_key(instance, "journey", row.enrollment_id, row.step, 1)
            assert self.provider.taken[key] <= 1, f"sent twice: {each}"
            gone = each.state in ("accepted", "unknown", "assumed_sent")
            assert gone or not self.provider.taken[key], f"sent, and not known: {each}"
            assert each.state != "accepted" or self.provider.taken[key], f"not sent: {each}"


def instance_id_of(connection: Any) -> str:
    return str(connection.scalar(select(facts.c.value).where(facts.c.name == "instance")))


def wander(made: Callable[[], Engine], folder: Path, *, steps: int, seed: int = 0) -> Counter[str]:
    """Stories of fifty steps without hypothesis, which would rather tell a short one again than a long new one.

    Returns the steps taken. What fails is raised with the story so far.
    """
    machine = type("Wandered", (Machine,), {"made": staticmethod(made), "mail": templates(folder)})
    Machine.steps.clear()
    chance = random.Random(seed)
    while Machine.steps.total() < steps:
        story = machine()
        try:
            story.begin(
                story=chance.getrandbits(64), start=chance.choice(sorted(STARTS)), enter=chance.choice(sorted(ENTERS)),
                first=chance.randrange(len(WAITS)),
            )  # fmt: skip
            for _ in range(50):
                story.anything(chance.getrandbits(64))
        except AssertionError as error:
            raise AssertionError("\n".join([f"{story.start}, {story.enter}", *story.told, str(error)])) from None
        finally:
            story.teardown()
    return Machine.steps.copy()


def play(
    made: Callable[[], Engine], folder: Path, *, examples: int, steps: int = 50, shrink: bool = False
) -> Counter[str]:
    """That many stories of that many steps. Returns the steps taken, by rule."""
    machine = type("Played", (Machine,), {"made": staticmethod(made), "mail": templates(folder)})
    Machine.steps.clear()
    chosen = settings(
        max_examples=examples, stateful_step_count=steps, derandomize=True, deadline=None, database=None,
        suppress_health_check=list(HealthCheck), print_blob=False,
        report_multiple_bugs=False, phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
    )  # fmt: skip
    run_state_machine_as_test(machine, settings=chosen)
    return Machine.steps.copy()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--steps", type=int, default=100_000)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--store", help="URL of a PostgreSQL database whose tables may be emptied; default: SQLite")
    chosen = asked.parse_args()
    with TemporaryDirectory() as folder:
        number = iter(range(10**9))

        def made() -> Engine:
            engine = open_store(chosen.store or f"sqlite:///{folder}/{next(number)}.db")
            if engine.dialect.name == "sqlite":
                event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
            emptied(engine)
            return engine

        began, cpu = time.monotonic(), time.process_time()
        steps = wander(made, Path(folder), steps=chosen.steps, seed=chosen.seed)
        print(f"{steps.total():,} steps in {time.monotonic() - began:.0f} s ({time.process_time() - cpu:.0f} s CPU)")
        print(*(f"  {name} {many:,}" for name, many in (steps + Machine.ends).most_common()), sep="\n")


def emptied(engine: Engine) -> None:
    """Make the tables, or empty them."""
    metadata.create_all(engine)
    with write(engine) as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))


if __name__ == "__main__":
    main()
