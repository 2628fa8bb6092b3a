"""The loop that sends: claim, guard, render, send, settle, in batches, until nothing is due."""

from __future__ import annotations

import asyncio
import copy
import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from dsl.delivery import Message, Outcome, Verdict
from ledger import guardrails, outbox, throttle
from ledger.channel import Channel, Delivered, Job, Leaving, Render, Unrenderable
from ledger.guardrails import Candidate, Delay, Go, Rules, Skip
from ledger.instance import instance_id, send_key
from ledger.pause import is_paused
from ledger.throttle import Door, Rate
from store.engine import Store, write

BATCH = 200
PATIENCE = 3
"""A message waits for its place in the channel's rate for this part of a lease; longer, and the next tick goes on."""
MOST_ATTEMPTS = 8
AGAIN = (0.0, 0.5, 2.0)
"""Seconds between the tries to write down what became of messages."""
LONGEST_BACKOFF = timedelta(hours=6)

DOWN = frozenset(
    {
        "connection_refused", "host_unknown", "server_unreachable", "server_refuses", "certificate_invalid",
        "tls_failed", "starttls_refused", "login_refused", "login_unavailable", "login_not_offered", "login_required",
        "sender_rejected", "starttls_missing", "login_not_encrypted", "no_smtp_server", "outbox_unwritable",
    }
)  # fmt: skip
"""Reasons of a deferral that are the channel's and not the message's: no attempt of the person is used up, and he is
due again at once, for whoever mends it and runs again."""

LOST = "connection_lost"
"""As DOWN, but it may be this message that the server cannot bear: it goes behind those that are due by then."""


async def deliver(
    engine: Store,
    *,
    playbook: str,
    channel: Channel,
    rules: Rules,
    as_of: datetime,
    wall: Callable[[], datetime],
    owner: str,
    step: str | None = None,
    leaving: Leaving | None = None,
    limit: int | None = None,
    seconds: float | None = None,
    chance: random.Random | None = None,
) -> Delivered:
    """Send what is due on `channel` (of one step, or of all), at most `limit` messages and for about `seconds`.

    `owner` is `ledger.owner.this_process()`. Nothing that a provider does raises; what `send` raises makes its chunk
    unknown, gives the rest of the batch back, and is raised again.
    """
    with write(engine) as connection:
        instance = instance_id(connection)
    work = _Delivery(
        engine=engine, instance=instance, playbook=playbook, channel=channel, rules=rules, as_of=as_of, wall=wall,
        owner=owner, step=step, leaving=leaving, chance=chance or random.Random(),
        deadline=None if seconds is None else wall() + timedelta(seconds=seconds),
    )  # fmt: skip
    claimed = 0
    while work.done.stopped is None and (limit is None or claimed < limit):
        if work.out_of_time():
            work.done.stopped = "time"
            break
        size = BATCH if limit is None else min(BATCH, limit - claimed)
        token = uuid.uuid4().hex
        seen, jobs = work.claim(token, size)
        if not seen:
            break
        claimed += len(jobs)
        try:
            await work.send(token, jobs)
        finally:
            await work.leave_off(token, jobs)
    return work.done


@dataclass(slots=True, kw_only=True)
class _Delivery:
    engine: Store
    instance: str
    playbook: str
    channel: Channel
    rules: Rules
    as_of: datetime
    wall: Callable[[], datetime]
    owner: str
    step: str | None
    leaving: Leaving | None
    chance: random.Random
    deadline: datetime | None
    done: Delivered = field(default_factory=Delivered)
    attempts: dict[int, int] = field(default_factory=dict)
    begun: set[int] = field(default_factory=set)
    """Messages of the batch that were handed over."""
    answered: Mapping[int, Outcome] = field(default_factory=dict)
    """What is known of them and not written down yet."""

    def out_of_time(self) -> bool:
        return self.deadline is not None and self.wall() >= self.deadline

    def claim(self, token: str, size: int) -> tuple[int, list[Job]]:
        """Let a batch through the guards, in one transaction. Returns how many were due, and those that may go."""
        name, field_ = self.channel.name, self.channel.address_field
        with write(self.engine) as connection:
            outbox.lock_guards(connection)
            if is_paused(connection, self.playbook):
                self.done.stopped = "paused"
                return 0, []
            door, until = throttle.knock(connection, name, self.as_of)
            if door in (Door.THROTTLED, Door.BROKEN):
                self.done.stopped, self.done.trouble = door.value, _shut(door, until)
                return 0, []
            size = 1 if door is Door.PROBE else size
            due = outbox.due(
                connection, playbook=self.playbook, channel=name, step=self.step, as_of=self.as_of, limit=size
            )
            if not due:
                return 0, []
            if self.leaving is not None:
                self.leaving(connection, [enrollment for _, enrollment in due])
            found = outbox.candidates(connection, [id for id, _ in due], name, field_)
            since = guardrails.oldest_slot(self.rules.policy, name, self.as_of)
            around = outbox.surroundings(connection, found, name, since, self.as_of)
            rulings = {each.id: guardrails.judge(each, around, self.rules, self.as_of) for each in found}
            going = [each for each in found if isinstance(rulings[each.id], Go)]
            refused = {id: ruling for id, ruling in rulings.items() if isinstance(ruling, Skip | Delay)}
            outbox.refuse(connection, refused, self.as_of)
            if door is Door.PROBE and going:
                throttle.probe(connection, name, self.as_of)
            outbox.claim(
                connection, [each.id for each in going],
                slots=[id for id, ruling in rulings.items() if ruling == Go(slot=True)],
                token=token, owner=self.owner, lease_until=self.wall() + self.channel.lease,
                address_field=field_, as_of=self.as_of,
            )  # fmt: skip
        for ruling in refused.values():
            counter = self.done.skipped if isinstance(ruling, Skip) else self.done.delayed
            counter[ruling.reason] += 1
        self.attempts = {each.id: each.attempts for each in going}
        return len(due), [_job(each, self.instance) for each in going]

    async def send(self, token: str, jobs: Sequence[Job]) -> None:
        messages = self._render(token, jobs)
        ready, size = list(messages), self.channel.chunk
        if self.channel.rate is not None:
            size = min(size, self.channel.rate.burst)
        for start in range(0, len(ready), size):
            if self.done.stopped is not None or self.out_of_time():
                break
            chunk = ready[start : start + size]
            if self.channel.rate is not None and not await self._in_turn(token, len(chunk), self.channel.rate):
                break
            # One commit writes down the last chunk and marks the next: half the waiting for the disk.
            with write(self.engine) as connection:
                self._settle(connection, token, self.answered)
                lease = self.wall() + self.channel.lease
                later = ready[start + len(chunk) :]
                sending = outbox.mark_sending(connection, chunk, token, lease, self.as_of, later)
            self.answered = {}
            if len(sending) < len(chunk):
                self.done.skipped["left"] += len(chunk) - len(sending)
            if self.wall() >= lease:
                # Asleep beyond the lease: others may have decided about these by now, so none of them leaves.
                break
            self.begun |= sending
            await self._hand_over({id: messages[id] for id in chunk if id in sending})

    async def leave_off(self, token: str, jobs: Sequence[Job]) -> None:
        """Write down the answers in hand, and give back what was not begun. Tried again for some seconds where the
        store fails: what is not written down now, nobody can tell later."""
        for pause in (*AGAIN, None):
            before = copy.deepcopy(self.done)
            try:
                with write(self.engine) as connection:
                    self._settle(connection, token, self.answered)
                    outbox.release(connection, [job.id for job in jobs if job.id not in self.begun], token)
            except DBAPIError:
                if pause is None:
                    raise
                self.done = before
                await asyncio.sleep(pause)
            else:
                break
        self.answered, self.begun = {}, set()

    async def _in_turn(self, token: str, count: int, rate: Rate) -> bool:
        """Wait for the place of `count` messages in the channel's rate. What is answered does not wait to be written
        down. False: it is too far off."""
        with write(self.engine) as connection:
            self._settle(connection, token, self.answered)
            patience = self.channel.lease / PATIENCE
            wait = throttle.reserve(connection, self.channel.name, count, rate, self.wall(), patience)
        self.answered = {}
        if wait is None:
            self.done.stopped = "rate"
            return False
        await asyncio.sleep(wait / timedelta(seconds=1))
        return True

    def _render(self, token: str, jobs: Sequence[Job]) -> dict[int, Message]:
        made = _each(self.channel.render, jobs)
        poison = [(job.id, m.detail) for job, m in zip(jobs, made, strict=True) if isinstance(m, Unrenderable)]
        if poison:
            self.done.failure = self.done.failure or poison[0][1]
            with write(self.engine) as connection:
                for id, detail in poison:
                    self.done.failed["render_error"] += outbox.poisoned(connection, id, token, detail, self.as_of)
        return {job.id: m for job, m in zip(jobs, made, strict=True) if isinstance(m, Message)}

    async def _hand_over(self, messages: Mapping[int, Message]) -> None:
        """Send a chunk that is marked, and keep an outcome for each message."""
        ids = {message.key: id for id, message in messages.items()}
        answered: dict[int, Outcome] = {}
        if not messages:
            return
        try:
            async for outcome in self.channel.send(list(messages.values())):
                if outcome.key in ids:
                    answered[ids[outcome.key]] = outcome
        except BaseException:
            # Also when the run is cancelled: bytes may have left, so whatever has no answer is unknown.
            self.answered = _complete(answered, messages, "interrupted")
            raise
        self.answered = _complete(answered, messages, "no_answer")
        if (trouble := _trouble(list(self.answered.values()))) is not None:
            self.done.stopped, self.done.trouble = trouble

    def _settle(self, connection: Connection, token: str, answered: Mapping[int, Outcome]) -> None:
        """Write down what became of a chunk."""
        throttle.note(connection, self.channel.name, _connected(answered.values()), self.as_of)
        good = {id: outcome for id, outcome in answered.items() if outcome.verdict is Verdict.ACCEPTED}
        self.done.sent += outbox.accepted(connection, good, token, self.as_of)
        for id, outcome in answered.items():
            match outcome.verdict:
                case Verdict.REJECTED:
                    wrote = outbox.rejected(connection, id, token, outcome, self.as_of)
                    self.done.failed[outcome.reason or "rejected"] += wrote
                    self.done.failure = self.done.failure or outcome.detail
                case Verdict.UNKNOWN:
                    self.done.unknown += outbox.unknown(connection, id, token, outcome, self.as_of)
                case Verdict.DEFERRED | Verdict.THROTTLED:
                    self._again(connection, id, token, outcome)

    def _again(self, connection: Connection, id: int, token: str, outcome: Outcome) -> None:
        attempts = self.attempts[id]
        pause = outcome.retry_after or timedelta()
        if outcome.verdict is Verdict.THROTTLED:
            pause = pause or timedelta(minutes=1)
            throttle.close(connection, self.channel.name, self.as_of + pause)
        elif outcome.reason == LOST:
            pause = pause or timedelta(minutes=1)
        elif outcome.reason not in DOWN:
            attempts += 1
            pause = max(pause, backoff(attempts, self.chance))
        if attempts >= MOST_ATTEMPTS:
            wrote = outbox.rejected(connection, id, token, outcome, self.as_of)
            self.done.failed[outcome.reason or "deferred"] += wrote
            return
        due = self.as_of + pause
        wrote = outbox.deferred(connection, id, token, outcome, attempts=attempts, due_at=due)
        self.done.delayed[outcome.reason or outcome.verdict] += wrote


def backoff(attempts: int, chance: random.Random) -> timedelta:
    """How long to wait after so many tries: 2, 4, 8 … minutes, at most six hours, a quarter more or less by chance, so
    that those who failed together do not come again together."""
    pause: timedelta = min(timedelta(minutes=2**attempts), LONGEST_BACKOFF)
    return pause * chance.uniform(0.75, 1.25)


def _job(candidate: Candidate, instance: str) -> Job:
    key = send_key(instance, candidate.playbook, candidate.enrollment_id, candidate.step, candidate.occurrence)
    return Job(
        id=candidate.id, key=key, playbook=candidate.playbook, digest=candidate.digest, step=candidate.step,
        enrollment_id=candidate.enrollment_id, event=candidate.event, profile_id=candidate.profile_id,
        channel=candidate.channel, template=candidate.template, address=candidate.address or "",
    )  # fmt: skip


def _each(render: Render, jobs: Sequence[Job]) -> list[Message | Unrenderable]:
    """Render all at once; where that raises, one by one, so that one bad message does not hold up the others."""
    if not jobs:
        return []
    try:
        made = list(render(jobs))
    except (OperationalError, InterfaceError):
        # It is the store that failed, and no message.
        raise
    except Exception as error:
        if len(jobs) == 1:
            # The error's own words may hold an address; its kind tells enough to look.
            return [Unrenderable(detail=type(error).__name__)]
        return [made for job in jobs for made in _each(render, [job])]
    if len(made) != len(jobs):
        raise ValueError(f"render gave {len(made)} messages for {len(jobs)} jobs")
    return made


def _complete(answered: Mapping[int, Outcome], messages: Mapping[int, Message], reason: str) -> dict[int, Outcome]:
    """An outcome for each message: unknown for those without an answer."""
    return {
        id: answered.get(id) or Outcome(key=message.key, verdict=Verdict.UNKNOWN, reason=reason)
        for id, message in messages.items()
    }


def _connected(outcomes: Iterable[Outcome]) -> list[bool]:
    """For each message whether the server was there for it. Those that it asked to come later are left out: that is
    between it and them."""
    found = []
    for outcome in outcomes:
        lost = outcome.verdict is Verdict.UNKNOWN or outcome.reason in (*DOWN, LOST)
        if lost or outcome.verdict in (Verdict.ACCEPTED, Verdict.REJECTED):
            found.append(not lost)
    return found


def _shut(door: Door, until: datetime | None) -> str:
    """Why a channel may not send, in words."""
    when = f"{until:%Y-%m-%d %H:%M:%S} UTC" if until else "later"
    if door is Door.THROTTLED:
        return f"the provider asked to wait until {when}."
    return f"there was no connection the last times; one message is tried again from {when} on."


def _trouble(outcomes: Sequence[Outcome]) -> tuple[str, str] | None:
    """Why not to go on with this channel for now, as a code and in words: it is down, asks for a pause, takes nothing,
    or leaves most of us without an answer."""
    for outcome in outcomes:
        if outcome.verdict is Verdict.THROTTLED:
            return "throttled", outcome.detail
        if outcome.verdict is Verdict.DEFERRED and outcome.reason in (*DOWN, LOST):
            return outcome.reason, outcome.detail
    verdicts = Counter(outcome.verdict for outcome in outcomes)
    for verdict, usual, most in ((Verdict.UNKNOWN, "no_answer", 0.5), (Verdict.DEFERRED, "deferred", 1)):
        first = next((outcome for outcome in outcomes if outcome.verdict is verdict), None)
        enough = verdicts[verdict] >= most * len(outcomes) and (verdict is Verdict.UNKNOWN or len(outcomes) > 1)
        if first is not None and enough:
            return first.reason or usual, first.detail
    return None
