"""The connector: a few sessions that share the messages of a call."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Self

from connectors.contract import Manifest, refuse_others
from connectors.email_smtp.connecting import Unavailable
from connectors.email_smtp.session import Session
from connectors.email_smtp.settings import SmtpSettings
from connectors.email_smtp.verdicts import Meaning
from dsl.delivery import Message, Outcome, Verdict


class SmtpConnector:
    """E-mail through one SMTP server. Not repeatable: SMTP cannot tell a second try from a second message."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._sessions = [Session(settings) for _ in range(settings.connections)]
        self._manifest = Manifest(
            name="email_smtp",
            channels=frozenset({"email"}),
            repeatable=False,
            batch=200,
            connections=settings.connections,
            longest=timedelta(seconds=settings.connect_seconds + 12 * settings.answer_seconds),
        )

    def __repr__(self) -> str:
        return f"SmtpConnector({self._settings.place})"

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    async def send(self, messages: Sequence[Message]) -> AsyncIterator[Outcome]:
        """As the contract says. A server that cannot be used is tried once by each session, not for each message."""
        refuse_others(self._manifest, messages)
        waiting = deque(messages)
        done: asyncio.Queue[Outcome | BaseException | None] = asyncio.Queue()
        troubles: list[Meaning] = []

        async def work(session: Session) -> None:
            try:
                while waiting:
                    message = waiting.popleft()
                    try:
                        done.put_nowait(await session.deliver(message))
                    except Unavailable as trouble:
                        waiting.appendleft(message)
                        troubles.append(trouble.meaning)
                        return
                    if session.silent:
                        # Each further message would wait as long, and may end up unknown too.
                        troubles.append(self._silent)
                        return
            except BaseException as bug:
                done.put_nowait(bug)
                raise
            finally:
                done.put_nowait(None)

        workers = [asyncio.create_task(work(session)) for session in self._sessions[: len(messages)]]
        try:
            left = len(workers)
            while left:
                match await done.get():
                    case None:
                        left -= 1
                    case Outcome() as outcome:
                        yield outcome
                    case BaseException() as bug:
                        raise bug
            # The other sessions have gone on as long as one could: what is left now, nobody could send.
            while waiting:
                yield _refused(waiting.popleft(), troubles[-1])
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    @property
    def _silent(self) -> Meaning:
        return Meaning(
            verdict=Verdict.DEFERRED,
            reason="server_unreachable",
            detail=f"{self._settings.place} stopped answering. If it is only slow, `timeout=` in WINBACK_SMTP_URL gives"
            " it more seconds.",
        )

    def accepted(self, keys: Sequence[str]) -> Mapping[str, bool] | None:  # noqa: ARG002  the contract's name
        """None: an SMTP server cannot be asked later."""
        return None

    async def check(self) -> list[str]:
        """Connects, logs in and takes leave."""
        session = Session(self._settings)
        try:
            await session.connect()
        except Unavailable as trouble:
            return [trouble.meaning.detail]
        await session.quit()
        return []

    async def open(self) -> None:
        """Nothing: connections are made when there is a message."""

    async def close(self) -> None:
        await asyncio.gather(*(session.quit() for session in self._sessions))

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _refused(message: Message, why: Meaning) -> Outcome:
    return Outcome(
        key=message.key, verdict=why.verdict, reason=why.reason, detail=why.detail, retry_after=why.retry_after
    )
