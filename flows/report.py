"""What a tick did, as values: for the terminal, for JSON and for Prefect's artifacts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dsl.conditions import Condition
from dsl.outline import Line, label, outline, way_id
from dsl.plan import Branch, Experiment, Plan
from flows.watch import Watcher
from ledger.rows import UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Sends:
    """What became of the messages of one send step. Numbers of messages."""

    step: str
    channel: str
    template: str
    sent: int = 0
    failed: int = 0
    unknown: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    delayed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What became of the records of one step, `create task for sales`. Numbers of records, one a person."""

    step: str
    verb: str
    """create, update"""
    noun: str
    team: str | None
    made: int = 0
    failed: int = 0
    unknown: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    delayed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceChange:
    """What the steps of this tick did to an audience. Numbers of people."""

    name: str
    added: int
    removed: int
    members: int
    """After it."""

    def as_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {"name": self.name, "add": self.added, "remove": self.removed, "members": self.members}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One tick of one playbook. Numbers of people, or of messages where said."""

    name: str
    version: str
    as_of: datetime
    entered: int
    """With those held out."""
    held_out: int
    left: int
    converted: int
    inside_before: int
    """Enrollments that were live before the tick."""
    inside: int
    """Enrollments that are live after it: all of them wait for a time."""
    steps: Mapping[str, int]
    """Per step of the plan, how many passed it."""
    ways: Mapping[str, int]
    """Per way of a fork or an experiment, how many took it: as `dsl.outline.way_id` names it."""
    sends: tuple[Sends, ...]
    in_doubt: int
    """Messages of earlier runs whose outcome this tick found to be unknown."""
    seconds: float
    first: bool
    """The first run, or the first after a pause: those who match already enter."""
    records: tuple[Recorded, ...] = ()
    audiences: tuple[AudienceChange, ...] = ()
    """Those that steps of the playbook change."""
    enrolled: Mapping[str, int] = field(default_factory=dict)
    """Per `enroll in`, how many came into the other playbook; those held out there count."""
    ended: Mapping[str, int] = field(default_factory=dict)
    """Whose journey ended on its way, by reason: `end`, `stop`, `nobody`, or `unknown birthday` for those who came to a
    wait for a time that is not known (they count as `left`, too)."""
    trouble: tuple[str, ...] = ()
    """What a person should know, in sentences: a server that could not be reached, messages in doubt."""

    paused_at: datetime | None = None
    """Since when the playbook is paused: nobody entered, moved on or was sent anything."""

    def people(self, plan: Plan, line: Line) -> int:
        """How many passed the step of an outline's line, or took the way that it is the head of."""
        fork = None if line.way is None else plan.step(line.id)
        if isinstance(fork, Branch | Experiment) and line.way is not None:
            return self.ways.get(way_id(fork, line.way), 0)
        return self.steps.get(line.id, 0)

    def total(self, name: str) -> int:
        """The sum of `sent`, `failed` or `unknown` over all send steps, in messages; of the last two with records."""
        records = () if name == "sent" else self.records
        return sum(getattr(each, name) for each in (*self.sends, *records))

    def reasons(self, name: str) -> dict[str, int]:
        """`skipped` or `delayed` over all steps that send or record, by reason."""
        summed: dict[str, int] = {}
        for step in (*self.sends, *self.records):
            for reason, count in getattr(step, name).items():
                summed[reason] = summed.get(reason, 0) + count
        return dict(sorted(summed.items()))

    def headlines(self) -> list[tuple[str, int]]:
        """The numbers that matter, each with its word, largest matters first."""
        return [
            ("entered", self.entered),
            ("held out", self.held_out),
            ("left", self.left),
            ("reached the goal", self.converted),
            ("messages sent", self.total("sent")),
            *([("records made", sum(record.made for record in self.records))] if self.records else []),
            *((f"added to {each.name}", each.added) for each in self.audiences),
            *((f"removed from {each.name}", each.removed) for each in self.audiences),
            *([("enrolled in other playbooks", sum(self.enrolled.values()))] if self.enrolled else []),
            ("messages failed", self.total("failed")),
            ("messages in doubt", self.total("unknown") + self.in_doubt),
            ("messages not sent", sum(self.reasons("skipped").values())),
            ("messages for later", sum(self.reasons("delayed").values())),
            ("people waiting", self.inside),
        ]

    @property
    def headline(self) -> str:
        """A few words for the run's name: `312 entered · 580 sent`."""
        told = ["paused"] if self.paused_at else []
        told += [f"{self.entered:,} entered", f"{self.total('sent'):,} sent"]
        told += [f"{n:,} {word}" for word, n in (("failed", self.total("failed")), ("left", self.left)) if n]
        return " · ".join(told)

    def as_run(self) -> dict[str, Any]:
        """As `winback run --json` prints it."""
        return {
            "name": self.name,
            "version": self.version,
            "as_of": self.as_of.isoformat(),
            "entered": self.entered,
            "holdout": self.held_out,
            "left": self.left,
            "converted": self.converted,
            "sent": self.total("sent"),
            "failed": self.total("failed"),
            "unknown": self.total("unknown") + self.in_doubt,
            "skipped": self.reasons("skipped"),
            "delayed": self.reasons("delayed"),
            "waiting": self.inside,
            "inside": self.inside,
            "sends": [
                {"step": s.step, "channel": s.channel, "template": s.template, "sent": s.sent, "failed": s.failed,
                 "unknown": s.unknown, "skipped": dict(s.skipped), "delayed": dict(s.delayed)}
                for s in self.sends
            ],
            "records": [
                {"step": r.step, "verb": r.verb, "noun": r.noun, "team": r.team, "made": r.made, "failed": r.failed,
                 "unknown": r.unknown, "skipped": dict(r.skipped), "delayed": dict(r.delayed)}
                for r in self.records
            ],
            "audiences": [a.as_json() for a in self.audiences],
            "enrolled": dict(self.enrolled),
            "ended": dict(self.ended),
            "trouble": list(self.trouble),
            "paused_at": self.paused_at and self.paused_at.isoformat(),
            "seconds": round(self.seconds, 3),
        }  # fmt: skip

    def as_plan(self) -> dict[str, Any]:
        """As `winback plan --json` prints it: the same numbers, of what would happen."""
        return {
            "name": self.name,
            "version": self.version,
            "as_of": self.as_of.isoformat(),
            "enters": self.entered,
            "holdout": self.held_out,
            "leaves": self.left,
            "inside": self.inside_before,
            "waiting": self.inside,
            "first_run": self.first,
            "paused_at": self.paused_at and self.paused_at.isoformat(),
            "sends": [
                {"channel": s.channel, "template": s.template, "step": s.step, "people": s.sent,
                 "skipped": dict(s.skipped), "delayed": dict(s.delayed)}
                for s in self.sends
            ],
            "steps": dict(self.steps),
            "ways": dict(self.ways),
            "crm": [
                {"noun": r.noun, "team": r.team, "people": r.made, "step": r.step, "verb": r.verb,
                 "skipped": dict(r.skipped), "delayed": dict(r.delayed)}
                for r in self.records
            ],
            "audiences": [a.as_json() for a in self.audiences],
            "enrolled": dict(self.enrolled),
        }  # fmt: skip


REASONS: Mapping[str, str] = {
    "no_consent": "no consent",
    "suppressed": "address suppressed",
    "no_address": "no address",
    "frequency_cap": "had enough messages lately",
    "duplicate_address": "address got it already",
    "left": "left the playbook",
    "late": "too late",
    "render_error": "template could not be filled",
    "quiet_hours": "quiet hours",
    "deferred": "the provider asked to wait",
    "not_connected": "nothing is set up that sends them",
    "throttled": "the provider asked to wait",
    "limit": "more than this run may send",
    "rate": "more than `[limits]` allows for now",
    "time": "this run has taken its time, the next one goes on",
    "paused": "the playbook is paused",
    "circuit_open": "the server could not be reached the last times",
    "replayed": "queued again by a person",
    "merged": "two people turned out to be one",
    "nobody": "the person is not in the store any more",
    "connection_refused": "the server could not be reached",
    "host_unknown": "the server could not be reached",
    "server_unreachable": "the server could not be reached",
    "no_smtp_server": "the server could not be reached",
    "connection_lost": "the server closed the connection",
    "server_refuses": "the server refuses to work for us",
    "login_refused": "the server refuses the log-in",
    "login_unavailable": "the server refuses the log-in",
    "login_not_offered": "the server refuses the log-in",
    "login_required": "the server wants a log-in",
    "login_not_encrypted": "no encrypted connection for the log-in",
    "starttls_missing": "no encrypted connection",
    "starttls_refused": "no encrypted connection",
    "tls_failed": "no encrypted connection",
    "certificate_invalid": "the server's certificate is not valid",
    "sender_rejected": "the server refuses our address as the sender",
    "server_busy": "the provider asked to wait",
    "rate_limited": "the provider asked to wait",
    "outbox_unwritable": "the folder for messages cannot be written",
    "no_answer": "no answer from the server",
    "mailbox_unknown": "there is no such mailbox",
    "mailbox_full": "the mailbox is full",
    "recipient_deferred": "the server asked to try again later",
    "sender_deferred": "the server asked to try again later",
    "message_deferred": "the server asked to try again later",
    "recipient_rejected": "the server refuses the recipient",
    "message_rejected": "the server refuses the message",
    "rejected": "the provider refuses the message",
    "mailbox_disabled": "the mailbox is closed",
    "domain_unknown": "there is no such domain",
    "address_invalid": "the address cannot be one",
    "address_needs_smtputf8": "the server takes no such address",
    "relay_denied": "the server does not send for us",
    "refused_by_policy": "the server refuses the message",
    "message_too_large": "the message is too large",
    "answer_unreadable": "the server's answer cannot be read",
    "interrupted": "the run ended while it was sent",
    "evidence": "found among what was sent",
    "resolved": "a person said so",
    "hard_bounce": "the address is dead",
}
"""What a reason code says to people."""


def because(reason: str) -> str:
    """A recorded reason in words. A message is cancelled for the reason that its person left: `on order_completed`."""
    if reason == "when" or reason.startswith("on "):
        return "left the playbook in time" if reason == "when" else f"left {reason}"
    if reason.startswith(UNKNOWN):
        return f"`{reason.removeprefix(UNKNOWN)}` is not known"
    return REASONS.get(reason, reason.replace("_", " "))


def taken_ways(current: Plan, walked: Plan, ways: Mapping[tuple[str, int], int]) -> dict[str, int]:
    """How many people took each way, by the way's id in `current`, of people who walked over `walked`: that plan or an
    older version of it. A way that the current one does not have, or has with another condition, is left out."""
    forks = {step.id: step for step in current.steps if isinstance(step, Branch | Experiment)}
    found: dict[str, int] = {}
    for (id, way), people in ways.items():
        now, then = forks.get(id), walked.step(id)
        if isinstance(then, Branch | Experiment) and now is not None and _asked(now) == _asked(then):
            found[way_id(now, way)] = people
    return found


def _asked(fork: Branch | Experiment) -> tuple[Condition | str, ...]:
    """What makes its ways the same ways again."""
    if isinstance(fork, Branch):
        return tuple(arm.condition for arm in fork.arms)
    return tuple(variant.name for variant in fork.variants)


def show(watch: Watcher, plan: Plan, report: Report) -> None:
    """The report as tables for a watcher: the playbook with its numbers, and what was not sent and why."""
    sends = {send.step: send.sent for send in report.sends} | {made.step: made.made for made in report.records}
    rows: list[dict[str, str | int | float | None]] = []
    for line in outline(plan):
        send = sends.get(line.id) if line.way is None else None
        passed = report.people(plan, line)
        rows.append({"step": "\u2003" * line.depth + line.text, "people": passed, "sent": send})
    watch.show(f"{plan.name}-steps", f"{plan.name}: the steps of this run", table=rows)
    steps = {step.id: label(step, "") for step in plan.steps}
    settled: tuple[Sends | Recorded, ...] = (*report.sends, *report.records)
    refused: list[dict[str, str | int | float | None]] = [
        {"step": steps.get(s.step, s.step), "what": what, "why": because(why), "messages": n}
        for s in settled
        for what, reasons in (("not sent", s.skipped), ("later", s.delayed))
        for why, n in reasons.items()
    ]
    if refused:
        watch.show(f"{plan.name}-not-sent", f"{plan.name}: what was not sent, and why", table=refused)
    lines = [f"- **{n:,}** {what}" for what, n in report.headlines()]
    lines += [f"- ⚠ {sentence}" for sentence in report.trouble]
    watch.show(f"{plan.name}-summary", f"{plan.name}: this run", markdown="\n".join(lines))
