"""Who is in which stage since when: the table `stages`, brought up to date by a look at everybody."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import BigInteger, Connection, and_, literal, or_, select

from dsl.plan import Stage
from profiles.columns import alive, people
from profiles.moment import Moment
from profiles.select import stage
from store.clock import micros
from store.schema import profiles, stages
from store.upsert import insert_for


def note(connection: Connection, lifecycle: tuple[Stage, ...], moment: Moment) -> int:
    """Write down for everybody whose stage has changed since the last look that it is a new one since `moment.as_of`.

    Returns how many those are; at the first look, everybody. A look that is repeated finds nobody. Without a lifecycle
    there is nothing to note. Takes a transaction of `store.engine.write`.
    """
    if not lifecycle:
        return 0
    now_in = stage(replace(moment, lifecycle=lifecycle))
    since = literal(micros(moment.as_of), BigInteger())
    changed = (
        select(profiles.c.id, now_in, since)
        .select_from(people().outerjoin(stages, stages.c.profile_id == profiles.c.id))
        .where(and_(alive(), or_(stages.c.stage.is_(None), stages.c.stage != now_in)))
    )
    noted = insert_for(connection, stages).from_select(["profile_id", "stage", "since"], changed)
    newer = noted.on_conflict_do_update(
        index_elements=[stages.c.profile_id],
        set_={"stage": noted.excluded.stage, "since": noted.excluded.since},
        # Another look at the same time may have been there first (PostgreSQL).
        where=stages.c.stage != noted.excluded.stage,
    )
    return connection.execute(newer, execution_options={"preserve_rowcount": True}).rowcount
