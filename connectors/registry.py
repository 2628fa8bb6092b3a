"""From settings to connectors: `WINBACK_EMAIL` = `file` or `smtp`, and so for each channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from connectors.contract import Advertising, ConfigurationError, Connector
from dsl.suggest import listed

Settings = Mapping[str, Any]
"""By the names of the environment: `WINBACK_EMAIL`, `WINBACK_SMTP_URL`, `WINBACK_OUTBOX` (a folder; default `outbox`).
Values are texts, SecretStr, or paths."""


def connector_for(channel: str, settings: Settings) -> Connector:
    """The connector that the settings choose for a channel; without a choice, `file`.

    Raises ConfigurationError for a channel or a choice that does not exist, and for a setting that is missing or wrong.
    """
    choices = _CHOICES.get(channel)
    if choices is None:
        raise ConfigurationError(channel, "There is no such channel.", f"There are {listed(_CHOICES)}.")
    setting = f"WINBACK_{channel.upper()}"
    chosen = _text(settings, setting) or "file"
    if chosen not in choices:
        raise ConfigurationError(setting, f"It cannot be `{chosen}`.", f"Set it to {listed(choices, 'or')}.")
    return choices[chosen](settings)


def advertising_for(settings: Settings) -> Advertising:
    """Where audiences are kept. Raises ConfigurationError for a choice that does not exist."""
    chosen = _text(settings, "WINBACK_ADS") or "file"
    if chosen != "file":
        raise ConfigurationError("WINBACK_ADS", f"It cannot be `{chosen}`.", "Set it to file.")
    from connectors.outbox_file import AudienceFiles

    return AudienceFiles(_folder(settings))


def _folder(settings: Settings) -> Path:
    return Path(_text(settings, "WINBACK_OUTBOX") or "outbox")


def _outbox(settings: Settings) -> Connector:
    from connectors.outbox_file import OutboxConnector

    return OutboxConnector(_folder(settings))


def _smtp(settings: Settings) -> Connector:
    from connectors.email_smtp import SmtpConnector, smtp_settings

    url = _text(settings, "WINBACK_SMTP_URL")
    if not url:
        raise ConfigurationError(
            "WINBACK_SMTP_URL",
            "WINBACK_EMAIL is `smtp`, and this is missing.",
            "Set it to smtp://user:password@host:587, or set WINBACK_EMAIL to `file`.",
        )
    return SmtpConnector(smtp_settings(url))


_CHOICES: Mapping[str, Mapping[str, Callable[[Settings], Connector]]] = {
    "email": {"file": _outbox, "smtp": _smtp},
    "sms": {"file": _outbox},
    "push": {"file": _outbox},
    "whatsapp": {"file": _outbox},
    "webhook": {"file": _outbox},
    "crm": {"file": _outbox},
}


def _text(settings: Settings, name: str) -> str:
    value = settings.get(name)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return str(value).strip() if value is not None else ""
