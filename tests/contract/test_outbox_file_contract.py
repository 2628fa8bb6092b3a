"""The outbox folder keeps the contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path

from connectors.outbox_file import OutboxConnector
from tests.contract.suite import ConnectorSuite, World


@dataclass
class Outbox:
    connector: OutboxConnector
    folder: Path
    secrets: tuple[str, ...] = ()
    other_side: str = ""

    def delivered(self) -> Counter[str]:
        return Counter(str(message_from_bytes(path.read_bytes())["To"]) for path in self.folder.rglob("*.eml"))


class TestOutboxFile(ConnectorSuite):
    @asynccontextmanager
    async def world(self, folder: Path) -> AsyncIterator[World]:
        yield Outbox(OutboxConnector(folder / "outbox"), folder)

    @asynccontextmanager
    async def broken(self, folder: Path) -> AsyncIterator[World]:
        folder.mkdir(exist_ok=True)
        (folder / "outbox").write_text("a file where the folder should be")
        yield Outbox(OutboxConnector(folder / "outbox"), folder)
