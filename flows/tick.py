"""One tick of a playbook: settle, leave and convert, enter, advance, deliver, measure.

It may run twice, die anywhere or run beside another one: every phase is a transaction of the ledger that finds what is
left to do.
It knows no Prefect; a watcher sees each phase and each step of the playbook.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from dsl.outline import label, names
from dsl.plan import ChangeAudience, Plan, Record, Send, StartOn
from flows import audiences
from flows.dispatch import Dispatch, dispatch
from flows.expressions import Expressions
from flows.graph import before
from flows.moving import asked, move_on, register_joined, void
from flows.report import AudienceChange, Recorded, Report, Sends, because, show, taken_ways
from flows.stages import asks_how_long, note_stages
from flows.watch import Plain, Watcher
from flows.world import World
from ledger import memberships
from ledger import plans as registry
from ledger.advance import Advanced
from ledger.channel import Delivered
from ledger.enroll import Entered, enter_on, enter_when
from ledger.leave import convert, leave
from ledger.report import counts
from ledger.rows import UNKNOWN
from ledger.settle import Settled, settle
from store.clock import instant
from store.engine import write
from store.home import refuse_copies

PACED = frozenset({"rate", "time", "paused"})
"""Why a tick stops sending though nothing is wrong: the next one goes on."""


class NotNow(Exception):  # noqa: N818  it says what happened
    """A tick that was asked for at a time that is not to be had: reason and way out, as one text."""


@dataclass(slots=True, kw_only=True)
class _Tick:
    """A tick at work. `plan` is the current one; people inside may be on older ones."""

    world: World
    plan: Plan
    as_of: datetime
    limit: int | None
    only_new: bool
    watch: Watcher
    began: float
    tick: registry.Tick = field(init=False)
    plans: list[Plan] = field(default_factory=list)
    entered: Entered = field(default_factory=lambda: Entered(entered=0, held_out=0))
    left: int = 0
    converted: int = 0
    passed: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)
    enrolled: Counter[str] = field(default_factory=Counter)
    changed: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Came into an audience or left it: by its name, and `add` or `remove`."""
    ended: Counter[str] = field(default_factory=Counter)
    delivered: dict[str, Delivered] = field(default_factory=dict)
    trouble: list[str] = field(default_factory=list)

    def run(self) -> Report:
        with write(self.world.store) as connection:
            refuse_copies(connection)
            registry.register(connection, self.plan, self.as_of)
            self.tick = registry.begin_tick(connection, self.plan.name, self.as_of)
            inside_before = sum(counts(connection, self.plan.name).inside.values())
            self.plans = registry.live_plans(connection, self.plan.name)
        settled = self.watch.run("settle", "settle what earlier runs left open", self.settle)
        # Every playbook's look counts, so that whoever is asked is asked by all; and older versions ask too.
        if asks_how_long(
            (*self.world.plans.values(), *self.world.audiences.values(), self.world.lifecycle, self.plans)
        ):
            self.watch.run("stages", "note who is in which stage", self.note_stages, after=["settle"])
        self.watch.run("leave", "leave and convert", self.leave, after=["stages", "settle"])
        if self.tick.paused_at is not None:
            self.watch.say("The playbook is paused: nobody enters, moves on or is sent anything.")
            return self.watch.run("measure", "measure", lambda: self.measure(settled, inside_before), after=["leave"])
        self.watch.run("enter", "enter", self.enter, after=["leave"])
        self.watch.run("advance", "advance", self.advance, after=["enter"])
        arrows = before(self.plan)
        with dispatch(self.world, self.plans, self.as_of) as post:
            due, called = post.due(), names(self.plan, str(self.world.shop["currency"]))
            for step in self.plan.steps:
                after = arrows[step.id] or ["advance"]
                if isinstance(step, Send | Record):
                    name = f"{called[step.id]} · {due.get(step.id, 0):,} due"
                    self.watch.run(step.id, name, partial(self.deliver, post, step, due.get(step.id, 0)), after=after)
                else:
                    name = f"{called[step.id]} · {self.passed[step.id]:,} people"
                    self.watch.run(step.id, name, lambda: None, after=after)
            for send in post.elsewhere():
                # Steps of older versions, which the current plan no longer has.
                self.deliver(post, send, due[send.id])
        ends = [step.id for step in self.plan.steps if step.id not in {a for many in arrows.values() for a in many}]
        last = ends or ["advance"]
        if changed := _audiences_of(self.plans):
            self.watch.run("audiences", "tell of audiences", partial(self.tell_audiences, changed), after=last)
            last = ["audiences"]
        return self.watch.run("measure", "measure", lambda: self.measure(settled, inside_before), after=last)

    def at(self, plan: Plan) -> Expressions:
        return asked(self.world, plan, self.as_of)

    def note_stages(self) -> None:
        changed = note_stages(self.world, self.as_of)
        self.watch.say(f"{changed:,} people have come into another stage since the last look.")

    def settle(self) -> Settled:
        connectors = self.world.connectors
        settled = settle(
            self.world.store,
            playbook=self.plan.name,
            as_of=self.as_of,
            wall=self.world.wall(),
            repeatable=lambda channel: channel in connectors and connectors[channel].manifest.repeatable,
            evidence={name: connector.accepted for name, connector in connectors.items()},
        )
        if settled.interrupted:
            many = settled.interrupted - settled.found_sent - settled.found_unsent
            if many > 0:
                self.trouble.append(
                    f"{many:,} messages of a run that was interrupted may or may not have gone out; they are not sent "
                    "again. `winback outbox list --state unknown` shows them."
                )
        self.watch.say(
            f"Settled: {settled.freed:,} claims of ended processes freed, {settled.interrupted:,} sends interrupted, "
            f"{settled.found_sent:,} found sent, {settled.assumed_sent:,} assumed sent after a day."
        )
        return settled

    def leave(self) -> None:
        with write(self.world.store) as connection:
            self.plans = registry.live_plans(connection, self.plan.name)
            for plan in self.plans:
                at = self.at(plan)
                if plan.goal is not None:
                    self.converted += convert(
                        connection, playbook=plan.name, digest=plan.digest, event=plan.goal.event, where=at.goal(),
                        seconds=plan.goal.seconds, as_of=self.as_of, tick=self.tick,
                    )  # fmt: skip
                self.left += leave(
                    connection, playbook=plan.name, digest=plan.digest, exits=at.exits(), as_of=self.as_of
                )
        self.watch.say(f"{self.left:,} left, {self.converted:,} reached the goal.")

    def enter(self) -> None:
        at = self.at(self.plan)
        with write(self.world.store) as connection:
            if isinstance(self.plan.trigger, StartOn):
                self.entered = enter_on(
                    connection, plan=self.plan, tick=self.tick, event=self.plan.trigger.event, where=at.starts(),
                    admits=at.admits(), held_out=at.held_out(), as_of=self.as_of, only_new=self.only_new,
                )  # fmt: skip
            else:
                self.entered = enter_when(
                    connection, plan=self.plan, tick=self.tick, matches=at.matches(), admits=at.admits(),
                    held_out=at.held_out(), as_of=self.as_of, only_new=self.only_new,
                )  # fmt: skip
            # Who bought between the event that started it and this tick has left before anything is sent.
            if self.plan.goal is not None and self.entered.entered:
                self.converted += convert(
                    connection, playbook=self.plan.name, digest=self.plan.digest, event=self.plan.goal.event,
                    where=at.goal(), seconds=self.plan.goal.seconds, as_of=self.as_of, after=self.entered.after,
                )  # fmt: skip
            if self.entered.entered:
                self.left += leave(
                    connection, playbook=self.plan.name, digest=self.plan.digest, exits=at.exits(), as_of=self.as_of,
                    after=self.entered.after,
                )  # fmt: skip
        held = f", {self.entered.held_out:,} of them held out" if self.entered.held_out else ""
        self.watch.say(f"{self.entered.entered:,} entered{held}.")

    def advance(self) -> None:
        for name in register_joined(self.world, self.plans, self.as_of):
            self.trouble.append(f"Nobody is enrolled in `{name}`: there is no such playbook any more.")
        self.trouble += dict.fromkeys(void(self.world, self.plans).values())
        known = {step.id: step for plan in reversed(self.plans) for step in plan.steps}
        for plan in self.plans:
            moved: Advanced = move_on(self.world, plan, self.as_of)
            self.passed.update(moved.counts)
            self.enrolled.update(moved.enrolled)
            self.ended.update(moved.ended)
            for id, people in moved.changed.items():
                if isinstance(step := known[id], ChangeAudience):
                    self.changed[step.audience, step.kind] += people
            self.ways.update(taken_ways(self.plan, plan, moved.ways))
            if moved.stuck:
                steps = ", ".join(f"`{step}` ({people:,})" for step, people in sorted(moved.stuck.items()))
                self.trouble.append(f"Nobody moves on from steps that version {plan.digest} does not have: {steps}.")
        # They leave by no exit of theirs, and still they leave.
        self.left += sum(people for reason, people in self.ended.items() if reason.startswith(UNKNOWN))
        enrolled = f", {sum(self.enrolled.values()):,} enrolled in other playbooks" if self.enrolled else ""
        self.watch.say(f"{sum(self.passed.values()):,} steps taken{enrolled}.")

    def tell_audiences(self, names: Sequence[str]) -> None:
        for name in names:
            told = audiences.tell(self.world, name, self.as_of)
            self.watch.say(f"{name}: the service was told of {told.added:,} added and {told.removed:,} removed.")
            if told.trouble:
                self.trouble.append(f"{name}: {told.trouble.rstrip('.')}. The next run goes on.")

    def deliver(self, post: Dispatch, step: Send | Record, due: int) -> Delivered:
        called, done_to = label(step, "").removeprefix("send "), "sent" if isinstance(step, Send) else "made"
        sent = sum(done.sent for done in self.delivered.values())
        limit = None if self.limit is None else max(0, self.limit - sent)
        handed = partial(self.watch.progress, step.id, total=due)
        done = post.deliver(step, limit=limit, progress=handed) if due else Delivered()
        self.delivered[step.id] = done
        if done.stopped is None and limit is not None and (beyond := post.left(step, done)):
            done.delayed["limit"] += beyond
        if done.stopped in PACED:
            done.delayed[done.stopped] += post.left(step, done)
        elif done.stopped is not None:
            # Those that were not even tried wait too.
            done.delayed[done.stopped] += post.left(step, done)
            told = done.trouble or because(done.stopped)
            what, waiting = (step.channel, "messages") if isinstance(step, Send) else ("crm", "records")
            sentence = f"{what}: {told.rstrip('.')}. The {waiting} wait for the next run."
            if sentence not in self.trouble:
                self.trouble.append(sentence)
        if failed := sum(done.failed.values()):
            first = done.failure or because(next(iter(done.failed)))
            self.trouble.append(
                f"{called}: {failed:,} failed; the first: {first.rstrip('.')}. "
                "`winback outbox list --state failed` shows them."
            )
        refused = [f"{n:,} not sent ({because(why)})" for why, n in done.skipped.items()]
        refused += [f"{n:,} later ({because(why)})" for why, n in done.delayed.items()]
        refused += [f"{n:,} failed ({because(why)})" for why, n in done.failed.items()]
        refused += [f"{done.unknown:,} in doubt"] * bool(done.unknown)
        self.watch.say(f"{called}: " + ", ".join([f"{done.sent:,} {done_to}", *refused]) + ".")
        return done

    def measure(self, settled: Settled, inside_before: int) -> Report:
        with write(self.world.store) as connection:
            now = counts(connection, self.plan.name)
            report = Report(
                name=self.plan.name,
                version=self.plan.digest,
                as_of=self.as_of,
                entered=self.entered.entered,
                held_out=self.entered.held_out,
                left=self.left,
                converted=self.converted,
                inside_before=inside_before,
                inside=sum(now.inside.values()),
                steps=dict(self.passed),
                ways=dict(self.ways),
                sends=tuple(self._sends()),
                records=tuple(self._records()),
                audiences=tuple(self._audiences(connection)),
                enrolled=dict(self.enrolled),
                ended=dict(self.ended),
                in_doubt=max(0, settled.interrupted - settled.found_sent - settled.found_unsent),
                trouble=tuple(self.trouble),
                seconds=time.monotonic() - self.began,
                first=self.tick.first,
                paused_at=self.tick.paused_at,
            )
            registry.end_tick(connection, self.tick, report.as_run())
        show(self.watch, self.plan, report)
        return report

    def _sends(self) -> list[Sends]:
        known = {step.id: step for plan in reversed(self.plans) for step in plan.steps if isinstance(step, Send)}
        return [
            Sends(
                step=id, channel=known[id].channel, template=known[id].template, sent=done.sent,
                failed=sum(done.failed.values()), unknown=done.unknown, skipped=dict(done.skipped),
                delayed=dict(done.delayed),
            )
            for id, done in self.delivered.items()
            if id in known
        ]  # fmt: skip

    def _records(self) -> list[Recorded]:
        known = {step.id: step for plan in reversed(self.plans) for step in plan.steps if isinstance(step, Record)}
        return [
            Recorded(
                step=id, verb=known[id].verb, noun=known[id].noun, team=known[id].team, made=done.sent,
                failed=sum(done.failed.values()), unknown=done.unknown, skipped=dict(done.skipped),
                delayed=dict(done.delayed),
            )
            for id, done in self.delivered.items()
            if id in known
        ]  # fmt: skip

    def _audiences(self, connection: Connection) -> list[AudienceChange]:
        return [
            AudienceChange(
                name=name, added=self.changed[name, "add"], removed=self.changed[name, "remove"],
                members=memberships.members(connection, name),
            )
            for name in _audiences_of(self.plans)
        ]  # fmt: skip


def _audiences_of(plans: Sequence[Plan]) -> list[str]:
    """The audiences that steps change."""
    return sorted({step.audience for plan in plans for step in plan.steps if isinstance(step, ChangeAudience)})


def tick(
    world: World,
    plan: Plan,
    *,
    as_of: datetime,
    limit: int | None = None,
    only_new: bool = False,
    watch: Watcher | None = None,
) -> Report:
    """Run one tick of `plan`'s playbook at `as_of` (aware). At most `limit` messages go out.

    Raises OlderThanLastTick for a time before the last tick, StoreError.
    """
    return _Tick(
        world=world, plan=plan, as_of=as_of, limit=limit, only_new=only_new, watch=watch or Plain(),
        began=time.monotonic(),
    ).run()  # fmt: skip


def refuse_the_past(newest: int | None, as_of: datetime) -> None:
    """Traits know only now: a tick before the newest event would mix times. Raises NotNow."""
    if newest is not None and instant(newest) > as_of:
        raise NotNow(
            f"{as_of.isoformat()} is before the newest event in the store ({instant(newest).isoformat()}), and what "
            "people were like then is not what they are like now.\n"
            "Hint: Use a later time; `winback plan --as-of` can look at the past."
        )
