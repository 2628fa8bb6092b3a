"""A million messages due at once: how much memory a run takes, and that it does not grow with their number.

`python -m tests.benchmarks.million_due --people 1000000` makes a store with that many people at the beginning of a
playbook, lets a process of its own move them on, and another send what is due for some seconds, and prints what each
took at most. `--send 0` leaves out the sending, `--store URL` is for PostgreSQL.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from sqlalchemy import Engine, false, func, select, text

from dsl.delivery import Message, Outcome, Verdict
from dsl.plan import Plan, Wait
from ledger.advance import advance
from ledger.enroll import enter_when
from ledger.leave import leave
from ledger.plans import begin_tick, register
from ledger.settle import settle
from store.engine import open_store, write
from store.schema import metadata, outbox, traits
from tests.ledger.shop import NOON, Provider, mail, plan, send_due

PLAYBOOK: Plan = plan(mail("first", "wait"), Wait(id="wait", seconds=86400, next="second"), mail("second"))
ROOT = Path(__file__).parents[2]


async def taken(messages: Sequence[Message]) -> AsyncIterator[Outcome]:
    for message in messages:
        yield Outcome(key=message.key, verdict=Verdict.ACCEPTED)


def people(engine: Engine, count: int) -> None:
    """That many people with a cart, by the database itself: it is not what is measured."""
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)"
    with write(engine) as connection:
        for statement in (
            "INSERT INTO profiles (id, bucket, email, email_hash, created_at, custom, set_at) {} "
            "SELECT i, i % 1000, 'p' || i || '@example.com', 'hash' || i, 0, '{{}}', '{{}}' FROM n",
            "INSERT INTO traits (profile_id, cart_total, browsing_products, cart_items) {} "
            "SELECT i, 1000, '[]', '[]' FROM n",
            "INSERT INTO consents (profile_id, channel, topic, granted, source, at) {} "
            "SELECT i, 'email', 'marketing', true, 'test', 0 FROM n",
        ):
            into, _, rows = statement.partition("{}")
            if engine.dialect.name == "postgresql":
                rows = rows.replace("FROM n", "FROM generate_series(1, :count) i")
            whole = into + ("" if engine.dialect.name == "postgresql" else numbers) + rows
            connection.execute(text(whole.replace("{{}}", "{}").replace(":count", str(count))))


def enter(engine: Engine) -> None:
    with write(engine) as connection:
        register(connection, PLAYBOOK, NOON)
        tick = begin_tick(connection, PLAYBOOK.name, NOON)
        enter_when(
            connection, plan=PLAYBOOK, tick=tick, matches=traits.c.cart_total > 0, admits=None, held_out=false(),
            as_of=NOON,
        )  # fmt: skip


def move(engine: Engine) -> None:
    advance(engine, plan=PLAYBOOK, decisions={}, arms={}, as_of=NOON, zone="UTC")


def look(engine: Engine) -> None:
    """What each tick does before it sends."""
    settle(engine, playbook=PLAYBOOK.name, as_of=NOON, wall=NOON)
    with write(engine) as connection:
        leave(connection, playbook=PLAYBOOK.name, digest=PLAYBOOK.digest, exits=[("when", traits.c.cart_total < 0)],
              as_of=NOON)  # fmt: skip


def send(engine: Engine, seconds: float) -> None:
    asyncio.run(send_due(engine, Provider(), NOON, send=taken, seconds=seconds, chunk=100))


PHASES = {"enter": enter, "advance": move, "settle and leave": look}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--send", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--store", help="URL of an empty database; default: SQLite in a temporary folder")
    parser.add_argument("--phase", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.phase:
        engine = open_store(given.store)
        began = time.monotonic()
        send(engine, given.send) if given.phase == "deliver" else PHASES[given.phase](engine)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{given.phase:<18} {time.monotonic() - began:7.1f} s   {peak:6.0f} MiB at most", flush=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        url = given.store or f"sqlite:///{Path(folder) / 'winback.db'}"
        engine = open_store(url)
        metadata.create_all(engine)
        people(engine, given.people)
        print(f"{given.people:,} people, {engine.dialect.name}", flush=True)
        for phase in (*PHASES, *(["deliver"] if given.send else [])):
            command = [sys.executable, "-m", "tests.benchmarks.million_due", "--store", url, "--phase", phase]
            subprocess.run([*command, "--send", str(given.send)], cwd=ROOT, check=True)
        with engine.connect() as connection:
            states = select(outbox.c.state, func.count()).group_by(outbox.c.state)
            print(dict(connection.execute(states).tuples().all()))


if __name__ == "__main__":
    main()
