"""An SMTP server that does what it is told: answers, refuses, dawdles, or cuts the connection, at any stage."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

CUT = "cut"
"""Close the connection instead of an answer."""
HANG = "hang"
"""Never answer."""

Reply = str | Callable[[str], str]
"""An answer without its line break, CUT, HANG, or a function from the command's argument to one of them."""


@dataclass
class Received:
    sender: str
    recipient: str
    content: bytes
    connection: int


@dataclass
class SmtpServer:
    """On loopback, in the event loop of the test. `replies` by stage: greeting, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA,
    MIDDLE (after the body's first bytes), BODY (after all of it), RSET."""

    replies: Mapping[str, Reply] = field(default_factory=dict)
    extensions: tuple[str, ...] = ("SIZE 1000000", "8BITMIME")
    context: ssl.SSLContext | None = None
    """For STARTTLS, which is then offered; with `tls`, from the first byte."""
    tls: bool = False
    user: tuple[str, str] | None = None
    """Who may log in; AUTH is then offered."""
    messages_a_connection: int = 1_000_000
    host: str = "127.0.0.1"
    received: list[Received] = field(default_factory=list)
    """What the server has taken over, or has had wholly before it was told to cut or hang."""
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._serve, self.host, self.port, ssl=self.context if self.tls else None, limit=1 << 22
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.connections += 1
        try:
            await self._talk(reader, writer, self.connections)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, _Cut, ssl.SSLError):
            pass
        finally:
            self.tasks.discard(task)
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> None:
        sender = recipient = ""
        taken = 0
        await self._say(writer, self._told("greeting", "", "220 test.example ESMTP"))
        while line := (await reader.readline()).decode("utf-8"):
            self.commands.append(line.strip())
            verb, _, rest = line.strip().partition(" ")
            match verb.upper():
                case "EHLO":
                    await self._say(writer, self._told("EHLO", rest, self._greeting(writer)))
                case "STARTTLS" if self.context is not None:
                    told = self._told("STARTTLS", rest, "220 go on")
                    await self._say(writer, told)
                    if not told.startswith("220"):
                        continue
                    await writer.start_tls(self.context)
                case "AUTH":
                    right = self._login(rest)
                    await self._say(
                        writer, self._told("AUTH", rest, "235 welcome" if right else "535 5.7.8 wrong password")
                    )
                case "MAIL":
                    if taken >= self.messages_a_connection:
                        writer.write(b"421 4.7.0 too many messages in this session\r\n")
                        await writer.drain()
                        return
                    sender = rest.partition("<")[2].partition(">")[0]
                    await self._say(writer, self._told("MAIL", sender, "250 2.1.0 ok"))
                case "RCPT":
                    recipient = rest.partition("<")[2].partition(">")[0]
                    await self._say(writer, self._told("RCPT", recipient, "250 2.1.5 ok"))
                case "DATA":
                    told = self._told("DATA", recipient, "354 go on")
                    await self._say(writer, told)
                    if not told.startswith("354"):
                        continue
                    if "MIDDLE" in self.replies:
                        await reader.readexactly(1)
                        await self._say(writer, self._told("MIDDLE", recipient, ""))
                    content = await reader.readuntil(b"\r\n.\r\n")
                    told = self._told("BODY", recipient, "250 2.0.0 ok queued as Q123456")
                    if told in (CUT, HANG) or told.startswith("2"):
                        body = content[:-3].replace(b"\r\n..", b"\r\n.")
                        self.received.append(Received(sender, recipient, body, connection))
                        taken += 1
                    await self._say(writer, told)
                case "QUIT":
                    writer.write(b"221 bye\r\n")
                    return
                case _:
                    await self._say(writer, self._told(verb.upper(), rest, "250 ok"))

    def _told(self, stage: str, argument: str, usual: str) -> str:
        reply = self.replies.get(stage, usual)
        return reply if isinstance(reply, str) else reply(argument)

    async def _say(self, writer: asyncio.StreamWriter, told: str) -> None:
        if told == CUT:
            raise _Cut
        if told == HANG:
            await asyncio.sleep(60)
        if told:
            writer.write(told.encode() + b"\r\n")
            await writer.drain()
        if told.startswith("421"):
            raise _Cut

    def _greeting(self, writer: asyncio.StreamWriter) -> str:
        offered = [*self.extensions]
        if self.context is not None and writer.get_extra_info("sslcontext") is None:
            offered.append("STARTTLS")
        if self.user is not None:
            offered.append("AUTH PLAIN")
        lines = ["test.example", *offered]
        return "\r\n".join(f"250{'-' if n < len(lines) - 1 else ' '}{line}" for n, line in enumerate(lines))

    def _login(self, rest: str) -> bool:
        given = base64.b64decode(rest.rpartition(" ")[2]).split(b"\0")
        return self.user is not None and given[1:] == [part.encode() for part in self.user]


class _Cut(Exception):  # noqa: N818
    pass
