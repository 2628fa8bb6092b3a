"""What every connector must do. A connector's test class inherits `ConnectorSuite` and says how to set one up."""

from __future__ import annotations

import asyncio
import logging
import traceback
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import pytest

from connectors.contract import Connector
from dsl.delivery import Message, Outcome, Verdict


class World(Protocol):
    """A connector and the other side that it talks to."""

    connector: Connector
    secrets: Sequence[str]
    """What must never be seen: passwords and the like."""
    other_side: str
    """The logger of the server in the test, which may write what it likes."""

    def delivered(self) -> Counter[str]:
        """How often each address has received something, by the other side's own count."""
        ...


async def outcomes(connector: Connector, messages: Sequence[Message]) -> list[Outcome]:
    return [outcome async for outcome in connector.send(messages)]


class ConnectorSuite(ABC):
    """Inherit, and define `world` and `broken`; and `message` when the channel is not e-mail."""

    @abstractmethod
    def world(self, folder: Path) -> AbstractAsyncContextManager[World]:
        """A connector that works."""
        ...

    @abstractmethod
    def broken(self, folder: Path) -> AbstractAsyncContextManager[World]:
        """A connector whose other side cannot be used at all."""
        ...

    def message(self, number: int, key: str = "") -> Message:
        address = f"person{number}@example.com"
        content = f"From: shop@shop.example\r\nTo: {address}\r\nSubject: Hello\r\n\r\n.Hello {number}\r\n"
        return Message(
            key=key or f"key-{number}",
            channel="email",
            address=address,
            sender="Shop <shop@shop.example>",
            content=content.encode(),
            headers={"Subject": "Hello", "Template": "email/hello", "Date": "2026-03-07T10:15:00+00:00"},
        )

    def batch(self, count: int) -> list[Message]:
        return [self.message(number) for number in range(count)]

    def test_each_message_gets_one_outcome_and_arrives_once(self, tmp_path: Path) -> None:
        async def run() -> None:
            async with self.world(tmp_path) as world:
                batch = self.batch(25)
                got = await outcomes(world.connector, batch)
                assert Counter(one.key for one in got) == Counter(message.key for message in batch)
                assert {one.verdict for one in got} == {Verdict.ACCEPTED}
                assert all(one.reason == "" and not one.suppress for one in got)
                assert world.delivered() == Counter(message.address for message in batch)

        asyncio.run(run())

    def test_nothing_to_send(self, tmp_path: Path) -> None:
        async def run() -> None:
            async with self.world(tmp_path) as world:
                assert await outcomes(world.connector, []) == []
                assert not world.delivered()

        asyncio.run(run())

    def test_the_same_key_twice(self, tmp_path: Path) -> None:
        """Once where the manifest says repeatable, and at least not lost where it does not."""

        async def run() -> None:
            async with self.world(tmp_path) as world:
                for _ in range(2):
                    (got,) = await outcomes(world.connector, [self.message(1, key="same")])
                    assert got.verdict is Verdict.ACCEPTED
                expected = 1 if world.connector.manifest.repeatable else 2
                assert world.delivered() == Counter({self.message(1).address: expected})

        asyncio.run(run())

    def test_evidence(self, tmp_path: Path) -> None:
        async def run() -> None:
            async with self.world(tmp_path) as world:
                assert world.connector.accepted(["key-1"]) in (None, {"key-1": False})
                await outcomes(world.connector, [self.message(1)])
                assert world.connector.accepted(["key-1", "key-2"]) in (None, {"key-1": True, "key-2": False})

        asyncio.run(run())

    def test_what_the_connector_does_not_send_is_refused_before_anything_is_sent(self, tmp_path: Path) -> None:
        async def run() -> None:
            async with self.world(tmp_path) as world:
                other = Message(key="k", channel="pigeon", address="a", sender="b", content=b"", headers={})
                with pytest.raises(ValueError, match="pigeon"):
                    await outcomes(world.connector, [self.message(1), other])
                with pytest.raises(ValueError, match="at most"):
                    await outcomes(world.connector, self.batch(world.connector.manifest.batch + 1))
                assert not world.delivered()

        asyncio.run(run())

    def test_when_nothing_can_be_sent_everybody_is_deferred_once_with_a_reason(self, tmp_path: Path) -> None:
        async def run() -> None:
            async with self.broken(tmp_path) as world:
                batch = self.batch(7)
                got = await outcomes(world.connector, batch)
                assert Counter(one.key for one in got) == Counter(message.key for message in batch)
                assert {one.verdict for one in got} == {Verdict.DEFERRED}
                assert all(one.reason and one.detail.endswith(".") for one in got)
                assert not world.delivered()

        asyncio.run(run())

    def test_check_tells_what_is_wrong_in_sentences(self, tmp_path: Path) -> None:
        async def run() -> None:
            async with self.world(tmp_path / "right") as world:
                assert await world.connector.check() == []
                assert not world.delivered()
            async with self.broken(tmp_path / "wrong") as world:
                (problem, *_) = await world.connector.check()
                assert problem.endswith(".") and len(problem.split()) > 5

        asyncio.run(run())

    def test_an_open_connector_may_be_used_again_and_closed_twice(self, tmp_path: Path) -> None:
        async def run() -> None:
            async with self.world(tmp_path) as world:
                await world.connector.open()
                for number in range(3):
                    (got,) = await outcomes(world.connector, [self.message(number)])
                    assert got.verdict is Verdict.ACCEPTED
                await world.connector.close()
                await world.connector.close()
                (got,) = await outcomes(world.connector, [self.message(3)])
                assert got.verdict is Verdict.ACCEPTED

        asyncio.run(run())

    def test_a_reader_that_stops_early_leaves_nothing_running(self, tmp_path: Path) -> None:
        async def run() -> None:
            async with self.world(tmp_path) as world:
                before = asyncio.all_tasks()
                sending = world.connector.send(self.batch(20))
                assert isinstance(sending, AsyncIterator)
                async for _ in sending:
                    break
                await sending.aclose()  # type: ignore[attr-defined]
                ours = [task for task in asyncio.all_tasks() - before if "work" in repr(task.get_coro())]
                assert ours == []

        asyncio.run(run())

    def test_secrets_are_never_seen(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        seen: list[str] = []

        async def run(kind: str) -> None:
            async with getattr(self, kind)(tmp_path / kind) as world:
                seen.extend([repr(world.connector), str(world.connector), repr(vars(world.connector))])
                seen.extend(repr(one) for one in await outcomes(world.connector, self.batch(3)))
                seen.extend(await world.connector.check())
                try:
                    await outcomes(world.connector, self.batch(world.connector.manifest.batch + 1))
                except ValueError:
                    seen.append(traceback.format_exc())
                logged = [record.getMessage() for record in caplog.records if record.name != world.other_side]
                shown = "\n".join([*seen, *logged])
                for secret in world.secrets:
                    assert secret not in shown
                assert "person1@example.com" not in shown

        asyncio.run(run("world"))
        asyncio.run(run("broken"))
