"""Encryption and passwords over SMTP: what is sent, what is refused, and what is said of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from connectors.email_smtp import SmtpConnector, smtp_settings
from dsl.delivery import Message, Outcome, Verdict
from tests.contract.certificates import self_signed
from tests.contract.smtp_server import SmtpServer

ACCEPTED, DEFERRED = Verdict.ACCEPTED, Verdict.DEFERRED


def message() -> Message:
    return Message(
        key="key",
        channel="email",
        address="person@example.com",
        sender="Shop <shop@shop.example>",
        content=b"Subject: Hi\r\n\r\nHello\r\n",
        headers={},
    )


def secured(
    folder: Path, url: str, *, tls: bool = False, offered: bool = True, password: str = "secret"
) -> tuple[Outcome, SmtpServer]:
    """One message to a server with a certificate of its own and one user; `{port}` and `{pem}` are filled in."""
    context, pem = self_signed(folder)

    async def run() -> tuple[Outcome, SmtpServer]:
        server = SmtpServer(context=context if offered else None, tls=tls, user=("shop", password))
        async with server:
            settings = smtp_settings(url.format(port=server.port, pem=pem))
            async with SmtpConnector(settings) as connector:
                (outcome,) = [one async for one in connector.send([message()])]
                return outcome, server

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("url", "tls"),
    [
        ("smtp://shop:secret@127.0.0.1:{port}?starttls=yes&certificates={pem}", False),
        ("smtp://shop:secret@localhost:{port}?starttls=yes&certificates={pem}", False),
        ("smtp://shop:secret@127.0.0.1:{port}?starttls=yes&verify=no", False),
        ("smtp://shop:secret@127.0.0.1:{port}", False),
        ("smtps://shop:secret@127.0.0.1:{port}?certificates={pem}", True),
        ("smtps://shop:secret@127.0.0.1:{port}?verify=no", True),
    ],
)
def test_encrypted_and_logged_in(tmp_path: Path, url: str, tls: bool) -> None:
    outcome, server = secured(tmp_path, url, tls=tls)
    assert outcome.verdict is ACCEPTED
    before_login = server.commands[: next(n for n, one in enumerate(server.commands) if one.startswith("AUTH"))]
    assert tls or "STARTTLS" in before_login


@pytest.mark.parametrize(
    ("url", "tls", "offered", "reason", "way_out"),
    [
        ("smtp://shop:secret@127.0.0.1:{port}?starttls=yes", False, True, "certificate_invalid", "certificates="),
        ("smtps://shop:secret@127.0.0.1:{port}", True, True, "certificate_invalid", "certificates="),
        ("smtp://shop:secret@127.0.0.1:{port}?starttls=yes", False, False, "starttls_missing", "starttls=yes"),
        ("smtp://shop:wrong@127.0.0.1:{port}", False, True, "login_refused", "WINBACK_SMTP_URL"),
        ("smtps://shop:secret@127.0.0.1:{port}", False, True, "tls_failed", "465"),
        ("smtp://shop:secret@127.0.0.1:{port}?connect_timeout=0.3", True, True, "server_unreachable", "smtps://"),
    ],
)
def test_a_set_up_that_does_not_work_defers_and_says_what_to_do(
    tmp_path: Path, url: str, tls: bool, offered: bool, reason: str, way_out: str
) -> None:
    outcome, server = secured(tmp_path, url, tls=tls, offered=offered)
    assert (outcome.verdict, outcome.reason) == (DEFERRED, reason)
    assert "127.0.0.1" in outcome.detail and way_out in outcome.detail
    assert "secret" not in outcome.detail and "wrong" not in outcome.detail
    assert server.received == []


def test_a_password_never_goes_to_another_machine_in_the_clear(tmp_path: Path) -> None:
    """0.0.0.0 reaches this machine, and is no loopback address by name: it stands for another machine."""
    url = "smtp://shop:secret@0.0.0.0:{port}"
    outcome, server = secured(tmp_path, url, offered=False)
    assert (outcome.verdict, outcome.reason) == (DEFERRED, "login_not_encrypted")
    assert not any(command.startswith("AUTH") for command in server.commands)
    outcome, _ = secured(tmp_path, url + "?plain_password=yes", offered=False)
    assert outcome.verdict is ACCEPTED
    outcome, _ = secured(tmp_path, "smtp://shop:secret@127.0.0.1:{port}", offered=False)
    assert outcome.verdict is ACCEPTED
