"""SMTP keeps the contract, against aiosmtpd with a password over TLS."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiosmtpd.smtp import SMTP, AuthResult

from connectors.email_smtp import SmtpConnector, smtp_settings
from tests.contract.certificates import self_signed
from tests.contract.suite import ConnectorSuite, World

PASSWORD = "open sesame/@:%"


class Mailbox:
    """What aiosmtpd took."""

    def __init__(self) -> None:
        self.envelopes: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802  as aiosmtpd calls it
        self.envelopes.append(envelope)
        return "250 2.0.0 OK queued as 4711ABCD"


def knows(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:  # noqa: ARG001
    return AuthResult(success=data.login == b"shop" and data.password == PASSWORD.encode())


@dataclass
class Mail:
    connector: SmtpConnector
    mailbox: Mailbox
    secrets: tuple[str, ...] = (PASSWORD, quote(PASSWORD, safe=""))
    other_side: str = "mail.log"

    def delivered(self) -> Counter[str]:
        return Counter(address for envelope in self.mailbox.envelopes for address in envelope.rcpt_tos)


class TestEmailSmtp(ConnectorSuite):
    @asynccontextmanager
    async def world(self, folder: Path) -> AsyncIterator[World]:
        folder.mkdir(exist_ok=True)
        context, pem = self_signed(folder)
        mailbox = Mailbox()
        server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(mailbox, tls_context=context, require_starttls=True, authenticator=knows, auth_required=True),
            "127.0.0.1",
            0,
        )
        port = server.sockets[0].getsockname()[1]
        url = f"smtp://shop:{quote(PASSWORD, safe='')}@127.0.0.1:{port}?starttls=yes&certificates={pem}&timeout=5"
        async with SmtpConnector(smtp_settings(url)) as connector:
            yield Mail(connector, mailbox)
        server.close()

    @asynccontextmanager
    async def broken(self, folder: Path) -> AsyncIterator[World]:  # noqa: ARG002  nothing is on the disk
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            url = f"smtp://shop:{quote(PASSWORD, safe='')}@127.0.0.1:{closed.getsockname()[1]}"
            async with SmtpConnector(smtp_settings(url)) as connector:
                yield Mail(connector, Mailbox())
