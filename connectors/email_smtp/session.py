"""One connection to an SMTP server: made when needed, kept for many messages, made again when the server closed it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from email.utils import parseaddr

import aiosmtplib

from connectors.email_smtp.connecting import Unavailable, connected
from connectors.email_smtp.settings import SmtpSettings
from connectors.email_smtp.verdicts import Meaning, Stage, meaning, queue_id
from connectors.mime import HeaderError, wire_address
from dsl.delivery import Message, Outcome, Verdict

_OK = range(200, 300)
_GO_ON = 354


class _Cut(Exception):  # noqa: N818
    """The connection ended, or the answer took too long, at a stage."""

    def __init__(self, stage: Stage, slow: bool) -> None:
        super().__init__(stage)
        self.stage = stage
        self.slow = slow


class Session:
    """A connection, or the wish for one. For one message at a time."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._client: aiosmtplib.SMTP | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._used = 0
        self.silent = False
        """The last message got no answer in time: the next one would hardly get one."""

    async def deliver(self, message: Message) -> Outcome:
        """Send one message. Raises Unavailable when the trouble is the server's or ours, not the message's."""
        try:
            sender = wire_address(parseaddr(message.sender)[1], "The sender")
            recipient = wire_address(message.address, "The recipient")
        except HeaderError as error:
            return _outcome(message, Meaning(verdict=Verdict.REJECTED, reason="address_invalid", detail=f"{error}."))
        self.silent = False
        while True:
            await self.connect()
            again = self._used > 0
            self._used += 1
            try:
                return await self._transfer(message, sender, recipient)
            except _Cut as cut:
                self.drop()
                self.silent = cut.slow
                # Servers close a connection that idled, or that has had its share: no fault, and nothing was sent.
                if cut.stage is Stage.SENDER and again and not cut.slow:
                    continue
                return _outcome(message, self._here(_cut(cut)))
            except Unavailable:
                self.drop()
                if not again:
                    raise
            except asyncio.CancelledError:
                self.drop()
                raise

    async def connect(self) -> None:
        """Be connected, greeted, encrypted and logged in. Raises Unavailable."""
        if self._client is not None and self._client.is_connected and self._loop is asyncio.get_running_loop():
            return
        self.drop()
        self._client, self._loop, self._used = await connected(self._settings), asyncio.get_running_loop(), 0

    async def quit(self) -> None:
        """Take leave of the server, without waiting long."""
        client, self._client = self._client, None
        if client is None or self._loop is not asyncio.get_running_loop():
            return
        try:
            await client.quit(timeout=2)
        except (aiosmtplib.SMTPException, OSError):
            pass
        finally:
            client.close()

    def drop(self) -> None:
        """Close the connection at once."""
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            client.close()

    async def _transfer(self, message: Message, sender: str, recipient: str) -> Outcome:
        assert self._client is not None
        client = self._client
        content = _wire_content(message.content)
        options: list[bytes] = []
        if client.supports_extension("size"):
            options.append(b"SIZE=%d" % len(content))
        if not (sender.isascii() and recipient.isascii()):
            if not client.supports_extension("smtputf8"):
                return _outcome(
                    message,
                    Meaning(
                        verdict=Verdict.REJECTED,
                        reason="address_needs_smtputf8",
                        detail="the server does not take addresses with letters beyond ASCII",
                    ),
                )
            options += [b"SMTPUTF8", b"BODY=8BITMIME"]
        refused = await self._refused(Stage.SENDER, b"MAIL", b"FROM:<" + sender.encode() + b">", *options)
        refused = refused or await self._refused(Stage.RECIPIENT, b"RCPT", b"TO:<" + recipient.encode() + b">")
        if refused is None:
            code, text = await self._command(Stage.DATA, b"DATA")
            if code == _GO_ON:
                return await self._body(message, content)
            refused = meaning(Stage.DATA, code, text)
        if refused.reason == "server_busy":
            raise Unavailable(self._here(refused))
        await self._reset()
        return _outcome(message, self._here(refused))

    async def _body(self, message: Message, content: bytes) -> Outcome:
        protocol = self._client.protocol if self._client is not None else None
        if protocol is None:
            raise _Cut(Stage.DATA, slow=False)
        try:
            protocol.write(content)
        except aiosmtplib.SMTPServerDisconnected:
            raise _Cut(Stage.DATA, slow=False) from None
        try:
            code, text = await protocol.read_response(timeout=4 * self._settings.answer_seconds)
        except aiosmtplib.SMTPTimeoutError:
            raise _Cut(Stage.BODY, slow=True) from None
        except aiosmtplib.SMTPResponseException as error:
            code, text = error.code, ""
        except (aiosmtplib.SMTPServerDisconnected, OSError):
            raise _Cut(Stage.BODY, slow=False) from None
        if code in _OK:
            return Outcome(key=message.key, verdict=Verdict.ACCEPTED, provider_id=queue_id(text))
        told = meaning(Stage.BODY, code, text)
        if told.reason in ("server_busy", "answer_unreadable"):
            # The connection is over or out of step, but this message has had its answer.
            self.drop()
        return _outcome(message, self._here(told))

    async def _refused(self, stage: Stage, *command: bytes) -> Meaning | None:
        code, text = await self._command(stage, *command)
        return None if code in _OK else meaning(stage, code, text)

    async def _command(self, stage: Stage, *command: bytes) -> tuple[int, str]:
        if self._client is None:
            raise _Cut(stage, slow=False)
        try:
            return await self._client.execute_command(*command)
        except aiosmtplib.SMTPTimeoutError:
            raise _Cut(stage, slow=True) from None
        except aiosmtplib.SMTPResponseException as error:
            return error.code, ""
        except (aiosmtplib.SMTPServerDisconnected, OSError):
            raise _Cut(stage, slow=False) from None

    def _here(self, told: Meaning) -> Meaning:
        """The meaning, with the server's name in its words."""
        return replace(told, detail=f"{self._settings.place}: {told.detail}.")

    async def _reset(self) -> None:
        """Make the server forget the refused message, so that the next one starts afresh."""
        try:
            code, _ = await self._command(Stage.SENDER, b"RSET")
        except _Cut:
            code = 0
        if code not in _OK:
            self.drop()


def _outcome(message: Message, told: Meaning) -> Outcome:
    return Outcome(
        key=message.key,
        verdict=told.verdict,
        reason=told.reason,
        detail=told.detail,
        retry_after=told.retry_after,
        suppress=told.suppress,
    )


def _cut(cut: _Cut) -> Meaning:
    how = "answered nothing in time" if cut.slow else "closed the connection"
    if cut.stage is Stage.BODY:
        return Meaning(
            verdict=Verdict.UNKNOWN,
            reason="no_answer",
            detail=f"the server {how} after the message had left; nobody can tell whether it took it",
        )
    return Meaning(
        verdict=Verdict.DEFERRED, reason="connection_lost", detail=f"the server {how} before the message left"
    )


def _wire_content(content: bytes) -> bytes:
    """The message as DATA carries it: CRLF only, leading dots doubled, the final dot."""
    if b"\n" in content.replace(b"\r\n", b"") or b"\r" in content.replace(b"\r\n", b""):
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    if not content.endswith(b"\r\n"):
        content += b"\r\n"
    content = content.replace(b"\r\n.", b"\r\n..")
    return (b"." if content.startswith(b".") else b"") + content + b".\r\n"
