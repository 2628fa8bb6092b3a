"""One tick in a process of its own, to be killed: `python -m tests.faults.worker STORE PORT STEPS DAY [careless]`.

Prints `ready` when it begins, and exits 0 when nothing is left to do on that day. A careless one sends again what is
unknown: the test of the test.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from sqlalchemy import false

from dsl.delivery import Message, Outcome, Verdict
from dsl.plan import Plan, Step, Wait
from ledger.deliver import Channel, deliver
from ledger.enroll import enter_when
from ledger.guardrails import Rules
from ledger.owner import this_process
from ledger.plans import begin_tick, register
from ledger.settle import settle
from store.engine import open_store, write
from store.schema import traits
from tests.ledger.shop import DAY, NOON, go_on, mail, plan, render

PLAYBOOK = "series"


def series(length: int) -> Plan:
    """That many messages, a day between each."""
    steps: list[Step] = []
    for i in range(length):
        last = i + 1 == length
        steps.append(mail(f"m{i}", None if last else f"w{i}"))
        if not last:
            steps.append(Wait(id=f"w{i}", seconds=86400, next=f"m{i + 1}"))
    return plan(*steps, name=PLAYBOOK)


async def tick(store: str, port: int, length: int, day: int, careless: bool) -> None:
    engine, journey, as_of = open_store(store, busy_seconds=60), series(length), NOON + day * DAY
    settle(engine, playbook=PLAYBOOK, as_of=as_of, wall=datetime.now(UTC), repeatable=lambda _channel: careless)
    with write(engine) as connection:
        register(connection, journey, as_of)
        begun = begin_tick(connection, PLAYBOOK, as_of)
        enter_when(
            connection, plan=journey, tick=begun, matches=traits.c.cart_total > 0, admits=None, held_out=false(),
            as_of=as_of,
        )  # fmt: skip
    go_on(engine, journey, as_of, limit=100)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send(messages: Sequence[Message]) -> AsyncIterator[Outcome]:
        for message in messages:
            writer.write(f"{message.key} {message.address} {message.content.decode()}\n".encode())
            await writer.drain()
            answer = await reader.readline()
            yield Outcome(key=message.key, verdict=Verdict.ACCEPTED if answer == b"ok\n" else Verdict.UNKNOWN)

    done = await deliver(
        engine, playbook=PLAYBOOK, channel=Channel(name="email", send=send, render=render), rules=Rules(zone="UTC"),
        as_of=as_of, wall=lambda: datetime.now(UTC), owner=this_process(),
    )  # fmt: skip
    assert done.stopped is None, done
    writer.close()


def main() -> None:
    print("ready", flush=True)
    port, length, day = (int(text) for text in sys.argv[2:5])
    asyncio.run(tick(sys.argv[1], port, length, day, careless="careless" in sys.argv))


if __name__ == "__main__":
    main()
