"""`WINBACK_SMTP_URL` read: `smtp://user:password@host:port?starttls=yes`."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import SecretStr

from connectors.contract import ConfigurationError

_NAME = "WINBACK_SMTP_URL"
_FORM = "Write it as smtp://user:password@host:587 or smtps://user:password@host:465."
_PORTS = {"smtp": 587, "smtps": 465}
_ANSWERS = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """How to reach one SMTP server. Its repr holds no password."""

    host: str
    port: int
    tls: bool
    """TLS from the first byte (smtps)."""
    starttls: bool | None
    """None: when the server offers it."""
    verify: bool
    """Whether the server's certificate must be right."""
    certificates: Path | None
    """A PEM file of authorities to trust beside the system's."""
    user: str | None
    password: SecretStr | None
    plain_password: bool
    """Whether the password may go over an unencrypted connection to another machine."""
    connections: int
    connect_seconds: float
    answer_seconds: float
    """How long an answer may take; after a message's body, four times as long."""

    @property
    def place(self) -> str:
        """`host:port`, for messages."""
        return f"{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether the server is on this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def smtp_settings(url: str) -> SmtpSettings:
    """The settings in a URL. Raises ConfigurationError, which never quotes the URL: it may hold a password."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        # Raised outside, as the words of the ValueError quote a part of the URL.
        parts, port = None, None
    if parts is None or parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/"):
        raise ConfigurationError(
            _NAME,
            "This is not the URL of an SMTP server.",
            f"{_FORM} Write special characters of the password in their percent form, such as %40 for @.",
        )
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    tls = parts.scheme == "smtps"
    starttls = _answer(options, "starttls")
    if tls and starttls:
        raise ConfigurationError(_NAME, "smtps:// is TLS from the start.", "Leave out `starttls=yes`.")
    settings = SmtpSettings(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        tls=tls,
        starttls=starttls,
        # A mail server on this very machine usually has a certificate that nobody signed.
        verify=_verify(options, parts.hostname, tls or starttls is True),
        certificates=_certificates(options),
        user=unquote(parts.username) if parts.username else None,
        password=SecretStr(unquote(parts.password)) if parts.password else None,
        plain_password=bool(_answer(options, "plain_password")),
        connections=int(_number(options, "connections", 4, 1, 50)),
        connect_seconds=_number(options, "connect_timeout", 20, 0.1, 600),
        answer_seconds=_number(options, "timeout", 60, 0.1, 600),
    )
    if options:
        raise ConfigurationError(
            _NAME,
            f"There is no option `{next(iter(options))}`.",
            "There are starttls, verify, certificates, plain_password, connections, connect_timeout and timeout.",
        )
    return settings


def _answer(options: dict[str, str], name: str) -> bool | None:
    if name not in options:
        return None
    if (said := options.pop(name)) not in _ANSWERS:
        raise ConfigurationError(_NAME, f"`{name}` is neither yes nor no.", f"Write {name}=yes or {name}=no.")
    return _ANSWERS[said]


def _verify(options: dict[str, str], host: str, demanded: bool) -> bool:
    said = _answer(options, "verify")
    if said is not None:
        return said
    return demanded or host not in ("localhost", "127.0.0.1", "::1")


def _certificates(options: dict[str, str]) -> Path | None:
    if "certificates" not in options:
        return None
    path = Path(options.pop("certificates"))
    if not path.is_file():
        raise ConfigurationError(_NAME, "The file that `certificates` names does not exist.", "Correct its path.")
    return path


def _number(options: dict[str, str], name: str, default: float, least: float, most: float) -> float:
    if name not in options:
        return default
    try:
        value = float(options.pop(name))
    except ValueError:
        value = -1.0
    if not least <= value <= most:
        raise ConfigurationError(_NAME, f"`{name}` is out of bounds.", f"It is a number from {least:g} to {most:g}.")
    return value
