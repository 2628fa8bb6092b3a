"""Settings become connectors, or words that say what to set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.contract import ConfigurationError
from connectors.email_smtp import SmtpConnector, smtp_settings
from connectors.outbox_file import OutboxConnector
from connectors.registry import connector_for


@pytest.mark.parametrize("channel", ["email", "sms", "push", "whatsapp", "webhook"])
def test_without_settings_messages_go_to_files(channel: str, tmp_path: Path) -> None:
    connector = connector_for(channel, {"WINBACK_OUTBOX": tmp_path})
    assert isinstance(connector, OutboxConnector)
    assert channel in connector.manifest.channels


def test_smtp_from_a_text_or_a_secret() -> None:
    for url in ("smtp://u:pass@mail.example:25", SecretStr("smtp://u:pass@mail.example:25")):
        connector = connector_for("email", {"WINBACK_EMAIL": "smtp", "WINBACK_SMTP_URL": url})
        assert isinstance(connector, SmtpConnector)
        assert repr(connector) == "SmtpConnector(mail.example:25)"


@pytest.mark.parametrize(
    ("channel", "settings", "told"),
    [
        (
            "pigeon",
            {},
            "pigeon: There is no such channel. There are `email`, `sms`, `push`, `whatsapp`, `webhook` and `crm`.",
        ),
        ("email", {"WINBACK_EMAIL": "smpt"}, "WINBACK_EMAIL: It cannot be `smpt`. Set it to `file` or `smtp`."),
        ("sms", {"WINBACK_SMS": "twilio"}, "WINBACK_SMS: It cannot be `twilio`. Set it to `file`."),
        ("email", {"WINBACK_EMAIL": "smtp"}, "WINBACK_SMTP_URL: WINBACK_EMAIL is `smtp`, and this is missing"),
    ],
)
def test_mistakes(channel: str, settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        connector_for(channel, settings)
    assert told in str(error.value).replace("\n", " ")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mail.example:25", "not the URL of an SMTP server"),
        ("http://u:hunter2@mail.example", "not the URL of an SMTP server"),
        ("smtp://u:hunter2@", "not the URL of an SMTP server"),
        ("smtp://u:hunter2/x@mail.example:25", "percent form"),
        ("smtp://u:hunter2@mail.example:99999", "not the URL of an SMTP server"),
        ("smtp://u:hunter2@mail.example?starttls=maybe", "`starttls` is neither yes nor no"),
        ("smtps://u:hunter2@mail.example?starttls=yes", "Leave out `starttls=yes`"),
        ("smtp://u:hunter2@mail.example?timeuot=3", "no option `timeuot`"),
        ("smtp://u:hunter2@mail.example?timeout=soon", "It is a number from 0.1 to 600"),
        ("smtp://u:hunter2@mail.example?connections=0", "It is a number from 1 to 50"),
        ("smtp://u:hunter2@mail.example?certificates=nowhere.pem", "does not exist"),
    ],
)
def test_mistakes_in_the_url_are_told_without_the_password(url: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        smtp_settings(url)
    assert told in str(error.value).replace("\n", " ")
    assert "hunter2" not in str(error.value)
    assert error.value.__context__ is None or "hunter2" not in str(error.value.__context__)


def test_what_a_url_says() -> None:
    settings = smtp_settings("smtps://shop%40x:p%2Fw%40%3A@mail.example?connections=2&timeout=7")
    assert (settings.host, settings.port, settings.tls, settings.user) == ("mail.example", 465, True, "shop@x")
    assert settings.password is not None and settings.password.get_secret_value() == "p/w@:"
    assert "p/w@:" not in repr(settings)
    assert (settings.connections, settings.answer_seconds, settings.verify) == (2, 7, True)
    assert smtp_settings("smtp://mail.example").port == 587
    assert smtp_settings("smtp://mail.example").starttls is None


@pytest.mark.parametrize(
    ("url", "verify"),
    [
        ("smtp://mail.example", True),
        ("smtp://localhost", False),
        ("smtp://localhost?starttls=yes", True),
        ("smtps://127.0.0.1", True),
        ("smtp://mail.example?verify=no", False),
    ],
)
def test_when_the_certificate_must_be_right(url: str, verify: bool) -> None:
    assert smtp_settings(url).verify is verify
