"""A process that sends what is due: `python -m tests.ledger.sender STORE CAP PLAYBOOK…`, with CAP messages an hour a
person; or at a rate, `… STORE rate PER_SECOND`.

Prints for each message the profile's id, and for a rate the time on the wall.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence

from dsl.delivery import Message, Outcome, Verdict
from dsl.plan import Limit, Policy
from ledger.guardrails import Rules
from ledger.throttle import Rate
from store.engine import open_store
from tests.ledger.shop import NOON, Provider, send_due


def person(message: Message) -> str:
    return message.address.partition("@")[0][1:]


async def timed(messages: Sequence[Message]) -> AsyncIterator[Outcome]:
    for message in messages:
        print(person(message), time.time(), flush=True)
        yield Outcome(key=message.key, verdict=Verdict.ACCEPTED)


async def counted(messages: Sequence[Message]) -> AsyncIterator[Outcome]:
    for message in messages:
        print(person(message), flush=True)
        yield Outcome(key=message.key, verdict=Verdict.ACCEPTED)


def main() -> None:
    store, manner, *rest = sys.argv[1:]
    engine = open_store(store)
    if manner == "rate":
        rate = Rate(count=int(rest[0]), seconds=1)
        asyncio.run(send_due(engine, Provider(), NOON, send=timed, rate=rate))
        return
    rules = Rules(zone="UTC", policy=Policy(limits=(Limit(channel="email", count=int(manner), seconds=3600),)))
    for playbook in rest:
        asyncio.run(send_due(engine, Provider(), NOON, send=counted, rules=rules, playbook=playbook))


if __name__ == "__main__":
    main()
