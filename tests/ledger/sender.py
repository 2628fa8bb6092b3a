"""A process that sends what is due at a limit: `python -m tests.ledger.sender STORE PER_SECOND LOG`.

Each line of the log is a profile's id and the time of the message on the wall.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from dsl.delivery import Message, Outcome, Verdict
from ledger.throttle import Rate
from store.engine import open_store
from tests.ledger.shop import NOON, Provider, send_due


def main() -> None:
    store, rate, path = sys.argv[1:]
    with Path(path).open("w") as log:

        async def send(messages: Sequence[Message]) -> AsyncIterator[Outcome]:
            for message in messages:
                log.write(f"{message.address.partition('@')[0][1:]} {time.time()}\n")
                yield Outcome(key=message.key, verdict=Verdict.ACCEPTED)

        asyncio.run(send_due(open_store(store), Provider(), NOON, send=send, rate=Rate(count=int(rate), seconds=1)))


if __name__ == "__main__":
    main()
