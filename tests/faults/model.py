"""What must come of a playbook, in plain Python: the model that the real thing is held to, person by person.

It knows no SQL, no plan and no ledger: a playbook is a list of steps, a person a few facts, a tick a few loops.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Step = tuple[str, ...]
"""`send ID` · `hours N` · `clock HH:MM [WEEKDAY]` · `days N HH:MM` · `for DAYS` (a view) · `if ID ID` (has viewed)."""


class Died(Exception):  # noqa: N818
    """The tick ends here."""


@dataclass(eq=False)
class Person:
    facts: dict[str, tuple[datetime, object]]
    """`email`, `zone`, `agrees`, `vip`: said when, and the value."""
    events: list[tuple[datetime, int, str]] = field(default_factory=list)

    def did(self, name: str, since: datetime, until: datetime) -> bool:
        return any(event == name and since < at <= until for at, _, event in self.events)

    def clock(self, text: str, now: datetime, ahead: int) -> datetime:
        zone = ZoneInfo(str(self.facts["zone"][1]))
        day = now.astimezone(zone).date() + ahead * DAY
        return datetime.combine(day, time.fromisoformat(text), zone).astimezone(now.tzinfo)

    def weekday(self, at: datetime) -> str:
        return WEEK[at.astimezone(ZoneInfo(str(self.facts["zone"][1]))).weekday()]


@dataclass(eq=False)
class Journey:
    person: Person
    steps: tuple[Step, ...]
    entered: datetime
    due: datetime
    place: int = 0
    state: str = "active"
    why: str = ""


@dataclass(eq=False)
class Message:
    journey: Journey
    step: str
    due: datetime
    expires: datetime
    state: str = "planned"
    reason: str | None = None
    slot: datetime | None = None
    settled: datetime | None = None
    attempts: int = 0


@dataclass
class Shop:
    trigger: str
    """`on` signed_up, or `when` vip."""
    again: timedelta | None
    """Enter again after so long; None: once."""
    versions: list[tuple[Step, ...]]
    journeys: list[Journey] = field(default_factory=list)
    queue: list[Message] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    matched: list[Person] = field(default_factory=list)
    suppressed: set[object] = field(default_factory=set)
    last: datetime | None = None
    closed: datetime | None = None

    def tick(self, now: datetime, people: list[Person], faults: Mapping[str, str]) -> Iterator[str]:
        """A tick that may be left after any of its phases. `faults`: what the provider does, by template."""
        for message in self.queue:
            if message.state == "unknown" and message.settled and message.settled <= now - DAY:
                message.state = "assumed_sent"
        yield "settle"
        inside = [j.steps for j in self.journeys if j.state == "active" or self._queued(j)]
        live = [self.versions[-1], *(steps for steps in self.versions[:-1] if steps in inside)]
        self._leave(self.journeys, now)
        yield "leave"
        before = len(self.journeys)
        for person in people:
            self._enter(person, now)
        self.last = now
        self._leave(self.journeys[before:], now)
        yield "enter"
        for journey in self.journeys:
            while journey.state == "active" and (journey.due <= now or self._woken(journey, now)):
                self._go_on(journey, now)
        yield "advance"
        for step in dict.fromkeys(id for steps in live for kind, *ids in steps if kind in ("send", "if") for id in ids):
            self._deliver(step, now, faults.get(step.rpartition(":")[2], "accepted"))
            yield step

    def _queued(self, journey: Journey) -> list[Message]:
        return [each for each in self.queue if each.journey is journey and each.state == "planned"]

    def _leave(self, journeys: list[Journey], now: datetime) -> None:
        for each in journeys:
            open_still = each.state == "active" or (each.state == "done" and self._queued(each))
            if open_still and each.person.did("order_completed", each.entered, now):
                self.end(each, now, "on order_completed")
            elif each.state == "left":  # what a person has put back into the queue since
                self.end(each, now, each.why)

    def end(self, journey: Journey, now: datetime, why: str) -> None:
        journey.state, journey.why = "left", why
        for message in self._queued(journey):
            message.state, message.reason, message.settled = "cancelled", why, now

    def _enter(self, person: Person, now: datetime) -> None:
        mine = [each for each in self.journeys if each.person is person]
        starts: list[datetime] = []
        if self.trigger == "when":
            vip = bool(person.facts["vip"][1])
            starts = [now] * (vip and person not in self.matched)
            self.matched = [each for each in self.matched if each is not person] + [person] * vip
        for at, number, name in sorted(person.events):
            if self.trigger == "on" and name == "signed_up" and number not in self.seen and at <= now:
                self.seen.add(number)
                starts += [at] * (at > (self.last or now) - DAY)
        may = [at for at in starts if all(self.again is not None and j.entered <= at - self.again for j in mine)]
        if may and all(each.state != "active" for each in mine):
            self.journeys.append(Journey(person=person, steps=self.versions[-1], entered=may[0], due=now))

    def _woken(self, journey: Journey, now: datetime) -> bool:
        standing = journey.place > 0 and journey.steps[journey.place - 1][0] == "for"
        return standing and journey.person.did("product_viewed", journey.entered, now)

    def _go_on(self, journey: Journey, now: datetime) -> None:
        """Up to the next wait, which begins now. What is queued may be sent until two days after it was due."""
        late = min(journey.due, now) + 2 * DAY if journey.due <= now else now + 2 * DAY
        while journey.place < len(journey.steps):
            kind, *words = journey.steps[journey.place]
            journey.place += 1
            match kind:
                case "send":
                    self.queue.append(Message(journey, words[0], now, late))
                    continue
                case "if":
                    viewed = journey.person.did("product_viewed", journey.entered, now)
                    self.queue.append(Message(journey, words[0 if viewed else 1], now, late))
                    continue
                case "hours":
                    journey.due = now + int(words[0]) * HOUR
                case "for":
                    journey.due = now + int(words[0]) * DAY
                case "days":
                    journey.due = journey.person.clock(words[1], now, int(words[0]))
                case "clock":
                    days = (journey.person.clock(words[0], now, ahead) for ahead in range(9))
                    journey.due = next(d for d in days if d >= now and journey.person.weekday(d) in (words[1:] or WEEK))
            return
        journey.state = "done"

    def _deliver(self, step: str, now: datetime, fault: str) -> None:
        if self.closed is not None and self.closed > now:
            return
        due = [each for each in self.queue if each.step == step and each.state == "planned" and each.due <= now]
        self._leave([each.journey for each in due], now)
        going = [
            each for each in sorted(due, key=lambda m: m.due) if each.state == "planned" and self._passes(each, now)
        ]
        for each in going:
            each.settled, each.attempts = now, each.attempts + (fault == "deferred")
            if fault in ("accepted", "unknown", "lost", "crash"):
                each.state = "accepted" if fault == "accepted" else "unknown"
            elif fault in ("rejected", "bounced") or each.attempts == 8:
                each.state, each.slot = "failed", None
                self.suppressed |= {each.journey.person.facts["email"][1]} if fault == "bounced" else set()
            else:  # down, throttled, deferred: it is tried again; how long after a deferral is up to chance
                each.slot, each.due = None, now + HOUR * (fault == "throttled")
                self.closed = now + HOUR if fault == "throttled" else self.closed
        if going and fault == "crash":
            raise Died

    def join(self, kept: Person, gone: Person, now: datetime) -> None:
        """Two profiles are one person: who is inside twice stays in the journey that has sent most."""
        live = [j for j in self.journeys if j.state == "active" and j.person in (kept, gone)]
        out = [m.journey for m in self.queue if m.state in ("accepted", "unknown", "assumed_sent")]
        for each in sorted(live, key=lambda j: (-out.count(j), j.person is gone, j.entered))[1:]:
            self.end(each, now, "merged")
        for each in self.journeys:
            each.person = kept if each.person is gone else each.person
        kept.events += gone.events
        kept.facts = {name: max(kept.facts[name], gone.facts[name], key=lambda fact: fact[0]) for name in kept.facts}
        if gone in self.matched:
            self.matched = [each for each in self.matched if each not in (kept, gone)] + [kept]

    def _passes(self, message: Message, now: datetime) -> bool:
        person = message.journey.person
        slots = [m.slot for m in self.queue if m.journey.person is person and m.slot and m.slot > now - DAY]
        local = now.astimezone(ZoneInfo(str(person.facts["zone"][1])))
        quiet = person.clock("08:00", now, 1 if local.hour >= 21 else 0)
        why = None
        if message.expires < now:
            why = "late"
        elif not person.facts["agrees"][1]:
            why = "no_consent"
        elif person.facts["email"][1] in self.suppressed:
            why = "suppressed"
        elif person.facts["email"][1] is None:
            why = "no_address"
        elif local.hour >= 21 or local.hour < 8:
            message.due, message.expires = quiet, message.expires + (quiet - now)
            return False
        elif len(slots) >= 2:
            why = "frequency_cap"
        if why is not None:
            message.state, message.reason, message.settled = "skipped", why, now
            return False
        message.slot = now
        return True
