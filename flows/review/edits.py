"""What an edit of a playbook changes, and whom it meets: the people who are inside, by where they wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from dsl.diff import Change, Fate, diff, edited, fate, render
from dsl.outline import label
from dsl.plan import Plan, Wait, from_json
from dsl.regions import START
from store.schema import enrollments, plans, playbooks


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """People of one version who wait at one place."""

    version: str
    step: str
    """The id of the wait at which they stand; `regions.START`: they have just entered."""
    text: str
    """In words: `wait 2 days, then send email cart_reminder`."""
    people: int
    """With those held out."""
    fate: Fate
    """See `dsl.diff.fate`; `keep` on the current version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    version: str
    since: str | None
    """The version that the playbook last ran with; None: it has never run here."""
    changes: tuple[Change, ...]
    """From that version to this one; empty when they are the same."""
    waiting: tuple[Waiting, ...]
    """Everybody inside, the current version first."""

    @property
    def older(self) -> tuple[Waiting, ...]:
        """People on versions other than the current one."""
        return tuple(group for group in self.waiting if group.version != self.version)

    def as_json(self) -> dict[str, Any]:
        """As `winback plan --json` prints it."""
        return {
            "since": self.since,
            "changes": [
                {"kind": c.kind, "part": c.part, "id": c.id, "old": c.old, "new": c.new, "note": c.note}
                for c in self.changes
                if c.kind != "same"
            ],
            "diff": list(render(self.changes)),
            "people": [
                {"version": w.version, "step": w.step, "text": w.text, "people": w.people, "fate": w.fate}
                for w in self.waiting
            ],
        }


def edit_of(connection: Connection, plan: Plan, currency: str) -> Edit:
    """What the current text changes, against what the store knows. Before a tick of `plan` registers it."""
    current = plan.digest
    since: str | None = connection.scalar(select(playbooks.c.digest).where(playbooks.c.name == plan.name))
    bodies = select(plans.c.digest, plans.c.body).where(plans.c.playbook == plan.name)
    counted = connection.execute(
        select(enrollments.c.digest, enrollments.c.step, func.count().label("people"))
        .where(enrollments.c.playbook == plan.name, enrollments.c.state == "active")
        .group_by(enrollments.c.digest, enrollments.c.step)
    ).all()
    asked = {row.digest for row in counted} | ({since} if since else set())
    known = {row.digest: from_json(row.body) for row in connection.execute(bodies.where(plans.c.digest.in_(asked)))}
    changes = diff(known[since], plan, currency) if since is not None and since != current else ()
    groups = [_waiting(known[row.digest], plan, row.step, row.people) for row in counted]
    return Edit(
        version=current,
        since=since,
        changes=changes if edited(changes) else (),
        waiting=tuple(sorted(groups, key=lambda w: (w.version != current, w.version, _place(known[w.version], w)))),
    )


def _waiting(version: Plan, current: Plan, step: str, people: int) -> Waiting:
    known = {each.id: each for each in version.steps}
    at = known.get(step)
    follows = version.first if step == START else at.next if isinstance(at, Wait) else step
    told = label(at, "") if isinstance(at, Wait) else "entered" if step == START else "waiting"
    ahead = "the end" if follows is None else label(known[follows], "") if follows in known else f"`{follows}`"
    return Waiting(
        version=version.digest,
        step=step,
        text=f"{told}, then {ahead}",
        people=people,
        fate=fate(version, current, step),
    )


def _place(version: Plan, waiting: Waiting) -> int:
    ids = [step.id for step in version.steps]
    return ids.index(waiting.step) if waiting.step in ids else len(ids)
