"""What the steps of a region do for the people who pass it: messages and records, fields, audiences, other playbooks.

Nothing is done for the held-out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, case, false, literal, select

from dsl import regions
from dsl.plan import ChangeAudience, Enroll, Experiment, Plan, Record, Send, SetField, Step
from ledger import memberships
from ledger.enroll import enroll_others
from ledger.fields import set_field
from ledger.plans import lock_playbook
from store.clock import micros
from store.locks import hold_profiles
from store.schema import assignments, enrollments, outbox
from store.upsert import insert_new

RECORDS = "crm"
"""The channel of records: their `template` is the noun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """The playbook that an `enroll in` leads to. It is registered."""

    plan: Plan
    admits: ColumnElement[bool] | None
    """`only if`, over profiles and traits; what it reads of an event (`ledger.rows.started`) is unknown."""
    held_out: ColumnElement[bool]
    """Over profiles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What steps need beyond the plan, by their ids."""

    values: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)
    """Of `set FIELD = value` the value as JSON, over `ledger.rows.inside()`."""
    joins: Mapping[str, Joining] = field(default_factory=dict)
    """Of `enroll in`. For a step that is left out nobody is enrolled: the playbook is not there any more."""
    void: frozenset[str] = frozenset()
    """Steps of older versions that change an audience which playbooks do not keep any more: they do nothing."""


@dataclass(slots=True, kw_only=True)
class Acted:
    """What came of a pass, in people by the id of the step."""

    enrolled: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    """Came into an audience or left it by this step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """People on their way through a region, in one transaction."""

    connection: Connection
    plan: Plan
    rows: ColumnElement[bool]
    """Their enrollments."""
    decided: tuple[regions.Decision, ...]
    """The decisions whose choices are packed into `enrollments.path`."""
    as_of: datetime
    expires: ColumnElement[int]
    """When a message that is queued now comes too late, over enrollments."""

    def taking(self, paths: Sequence[int]) -> ColumnElement[bool]:
        """Those of them who go one of these ways, without the held-out."""
        return self.rows & (enrollments.c.holdout == false()) & enrollments.c.path.in_(paths)


def lock(connection: Connection, steps: Sequence[Step], given: Given) -> None:
    """Take the locks that these steps need, before any row is locked, in the order in which everybody takes them."""
    if any(isinstance(step, SetField) for step in steps):
        hold_profiles(connection)
    joined = {given.joins[step.id].plan.name for step in steps if isinstance(step, Enroll) and step.id in given.joins}
    for playbook in sorted(joined):
        lock_playbook(connection, playbook)


def act(passing: Passing, ways: Mapping[str, Sequence[int]], given: Given) -> Acted:
    """Do what the steps say. `ways` has for each step the paths that come by it; steps are taken as the plan lists
    them, so that a later one finds what an earlier one has written."""
    acted = Acted()
    for step in passing.plan.steps:
        if step.id not in ways:
            continue
        paths = ways[step.id]
        match step:
            case Send(channel=channel, template=template):
                _queue(passing, step.id, channel, template, paths)
            case Record(noun=noun):
                _queue(passing, step.id, RECORDS, noun, paths)
            case Experiment():
                _expose(passing, step, paths)
            case SetField(field=written):
                set_field(
                    passing.connection, step=step.id, field=written.name, value=given.values[step.id],
                    rows=passing.taking(paths), as_of=passing.as_of,
                )  # fmt: skip
            case ChangeAudience(kind=kind, audience=audience) if step.id not in given.void:
                people = select(enrollments.c.profile_id).where(passing.taking(paths))
                acted.changed[step.id] += memberships.change(
                    passing.connection, audience, people, add=kind == "add", as_of=passing.as_of
                )
            case Enroll() if step.id in given.joins:
                joined = given.joins[step.id]
                acted.enrolled[step.id] += enroll_others(
                    passing.connection, plan=joined.plan, rows=passing.taking(paths), admits=joined.admits,
                    held_out=joined.held_out, as_of=passing.as_of,
                ).entered  # fmt: skip
    return acted


def _queue(passing: Passing, step: str, channel: str, template: str, paths: Sequence[int]) -> None:
    now = literal(micros(passing.as_of), BigInteger)
    row = {
        "playbook": enrollments.c.playbook,
        "enrollment_id": enrollments.c.id,
        "step": literal(step),
        # A plan has no loops, so a step comes once.
        "occurrence": literal(1),
        "profile_id": enrollments.c.profile_id,
        "digest": enrollments.c.digest,
        "channel": literal(channel),
        "template": literal(template),
        "state": literal("planned"),
        "planned_at": now,
        "due_at": now,
        "expires_at": passing.expires,
    }
    rows = select(*row.values()).where(passing.taking(paths))
    passing.connection.execute(insert_new(passing.connection, outbox).from_select(list(row), rows))


def _expose(passing: Passing, step: Experiment, paths: Sequence[int]) -> None:
    choices = {path: regions.unpack(passing.decided, path)[step.id] for path in paths}
    variant = case({path: step.variants[i - 1].name for path, i in choices.items()}, value=enrollments.c.path)
    row = {
        "experiment": literal(step.name),
        "profile_id": enrollments.c.profile_id,
        "playbook": enrollments.c.playbook,
        "variant": variant,
        "at": literal(micros(passing.as_of), BigInteger),
    }
    rows = select(*row.values()).where(passing.taking(paths))
    passing.connection.execute(insert_new(passing.connection, assignments).from_select(list(row), rows))
