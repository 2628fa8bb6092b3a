"""Messages to people who come in later: how many somebody gets on each day since entering, times how many come in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, func, select

from flows.review.forecast import Topics, coming, may_get
from flows.world import World
from store.clock import SECOND, instant, micros
from store.engine import read
from store.schema import enrollments, outbox, profiles

SOME = 20
"""People from whom it is told what newcomers get."""
LATELY = 28
"""Days in which people have come in of whom that is told."""


def per_newcomer(
    world: World,
    topics: Topics,
    playbook: str,
    *,
    newest: int,
    people: int,
    as_of: datetime,
    days: int,
) -> dict[str, list[float]]:
    """How many messages somebody gets on each day since entering, by channel: as the `people` who entered in this
    rehearsal do (the enrollments with an id above `newest`). After `walk_on`."""
    found: dict[str, list[float]] = {}
    with read(world.store) as connection:
        for channel in sorted({channel for channel, _ in topics}) if people else ():
            rows = (
                select(outbox.c.due_at, func.count())
                .join(enrollments, enrollments.c.id == outbox.c.enrollment_id)
                .join(profiles, profiles.c.id == outbox.c.profile_id)
                .where(enrollments.c.id > newest, outbox.c.channel == channel)
                .where(coming([playbook], as_of), may_get(world, channel, topics, as_of))
                .group_by(outbox.c.due_at)
            )
            for due, messages in connection.execute(rows):
                if 0 <= (n := (instant(due) - as_of).days) <= days:
                    found.setdefault(channel, [0.0] * (days + 1))[n] += messages / people
    return found


def per_past_entrant(
    world: World, playbook: str, topics: Topics, *, as_of: datetime, days: int
) -> dict[str, list[float]] | None:
    """The same of the people who came in lately, by what they were sent; None: too few came.

    Of a day that is longer after entry than anybody has been inside nothing is known, and nothing is counted.
    """
    day = 86_400 * SECOND
    now = micros(as_of)
    ours = and_(enrollments.c.playbook == playbook, enrollments.c.entered_at > now - (days + LATELY) * day)
    ago = (now - enrollments.c.entered_at) // day
    after = (outbox.c.planned_at - enrollments.c.entered_at) // day
    with read(world.store) as connection:
        entered: dict[int, int] = dict(connection.execute(select(ago, func.count()).where(ours).group_by(ago)).all())
        sent = connection.execute(
            select(outbox.c.channel, after, func.count())
            .join(enrollments, enrollments.c.id == outbox.c.enrollment_id)
            .where(ours, outbox.c.state.in_(("accepted", "unknown", "assumed_sent")), after < ago)
            .group_by(outbox.c.channel, after)
        ).all()
    if sum(people for then, people in entered.items() if then > 0) < SOME:
        return None
    found: dict[str, list[float]] = {channel: [0.0] * (days + 1) for channel in sorted({c for c, _ in topics})}
    for channel, n, messages in sent:
        people = sum(many for then, many in entered.items() if then > n)
        if channel in found and 0 <= n <= days and people >= SOME:
            found[channel][n] += messages / people
    return found


def of_newcomers(per_day: float, each: Sequence[float]) -> list[float]:
    """Messages of each day, today (0) first, to people of whom `per_day` come in from tomorrow on; each gets on the
    n-th day since entering `each[n]` messages."""
    return [per_day * sum(each[:day]) for day in range(len(each))]
