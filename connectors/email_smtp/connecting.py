"""From settings to a connection that is greeted, encrypted and logged in, or to words that say what is in the way."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
import ssl

import aiosmtplib

from connectors.email_smtp.settings import SmtpSettings
from connectors.email_smtp.verdicts import Meaning, Stage, meaning
from dsl.delivery import Verdict


class Unavailable(Exception):  # noqa: N818  it says what the server is
    """No message can be sent now, this one or another. `meaning` is what to say of each."""

    def __init__(self, why: Meaning) -> None:
        super().__init__(why.reason)
        self.meaning = why


async def connected(settings: SmtpSettings) -> aiosmtplib.SMTP:
    """A client that is greeted, encrypted and logged in. Raises Unavailable."""
    client = aiosmtplib.SMTP(
        hostname=settings.host,
        port=settings.port,
        use_tls=settings.tls,
        start_tls=False,
        tls_context=_context(settings) if settings.tls else None,
        timeout=settings.answer_seconds,
        # Never looked up: the name of this machine in DNS may take a minute to be not found.
        local_hostname="localhost",
    )
    stage = Stage.CONNECT
    try:
        await client.connect(timeout=settings.connect_seconds)
        stage = Stage.HELLO
        name = _own_name(client)
        await client.ehlo(hostname=name)
        secure = settings.tls
        if not secure and settings.starttls is not False:
            if client.supports_extension("starttls"):
                stage = Stage.TLS
                await client.starttls(tls_context=_context(settings))
                await client.ehlo(hostname=name)
                secure = True
            elif settings.starttls:
                raise Unavailable(
                    _unavailable(
                        "starttls_missing",
                        f"{settings.place} offers no encryption (STARTTLS), and `starttls=yes` asks for it.",
                    )
                )
        if settings.user is not None:
            stage = Stage.LOGIN
            await _login(client, settings, secure)
    except (Unavailable, asyncio.CancelledError):
        client.close()
        raise
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        client.close()
        why = _why(stage, error, settings)
    else:
        return client
    raise Unavailable(why)


async def _login(client: aiosmtplib.SMTP, settings: SmtpSettings, secure: bool) -> None:
    if not secure and not settings.loopback and not settings.plain_password:
        raise Unavailable(
            _unavailable(
                "login_not_encrypted",
                f"{settings.place} offers no encryption, so the password was not sent. Use smtps://, or another port;"
                " `plain_password=yes` in WINBACK_SMTP_URL sends it all the same.",
            )
        )
    password = settings.password.get_secret_value() if settings.password is not None else ""
    await client.login(settings.user or "", password)


def _context(settings: SmtpSettings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if settings.certificates is not None:
        context.load_verify_locations(cafile=settings.certificates)
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _own_name(client: aiosmtplib.SMTP) -> str:
    """The address literal of this end of the connection (RFC 5321, 4.1.3)."""
    own = ipaddress.ip_address(str(client.get_transport_info("sockname")[0]).partition("%")[0])
    return f"[IPv6:{own}]" if own.version == 6 else f"[{own}]"


def _why(stage: Stage, error: Exception, settings: SmtpSettings) -> Meaning:
    """The trouble in words. The words of the error itself are used only where they cannot hold a secret."""
    place = settings.place
    cause = error
    while isinstance(cause.__cause__, Exception):
        cause = cause.__cause__
    match cause:
        case ssl.SSLCertVerificationError():
            return _unavailable(
                "certificate_invalid",
                f"The certificate of {place} is not valid ({cause.verify_message}). Check the host name in"
                " WINBACK_SMTP_URL, or name a PEM file there with `certificates=`.",
            )
        case ssl.SSLError():
            return _unavailable(
                "tls_failed",
                f"No encrypted connection to {place} comes about ({cause.reason or 'handshake failed'})."
                " smtps:// is for port 465, smtp:// for 587 and 25.",
            )
        case socket.gaierror():
            return _unavailable("host_unknown", f"There is no host {settings.host}. Check WINBACK_SMTP_URL.")
        case OSError() if cause.errno == errno.ECONNREFUSED or f"[Errno {errno.ECONNREFUSED}]" in str(cause):
            return _unavailable(
                "connection_refused", f"Nothing listens at {place}. Check host and port in WINBACK_SMTP_URL."
            )
        case aiosmtplib.SMTPAuthenticationError() if 500 <= cause.code < 600:
            return _unavailable(
                "login_refused",
                f"{place} refuses the user name or the password ({cause.code}). Check both in WINBACK_SMTP_URL;"
                " special characters need their percent form.",
            )
        case aiosmtplib.SMTPResponseException() if cause.code > 0:
            told = meaning(stage, cause.code, cause.message)
            return Meaning(
                verdict=told.verdict,
                reason=told.reason,
                detail=f"{place}: {told.detail}",
                retry_after=told.retry_after,
            )
        case TimeoutError():
            return _unavailable(
                "server_unreachable",
                f"{place} does not answer in time. Check WINBACK_SMTP_URL, and whether a firewall is between. A port"
                " for TLS only, such as 465, needs smtps://.",
            )
        case aiosmtplib.SMTPException() if stage is Stage.LOGIN and not isinstance(cause, ConnectionError):
            return _unavailable("login_not_offered", f"{place} offers no way to log in that is known here.")
        case ConnectionError():
            return _unavailable("connection_lost", f"{place} closes the connection at once ({stage}).")
        case OSError():
            return _unavailable(
                "server_unreachable", f"{place} cannot be reached ({cause.strerror or 'network error'})."
            )
    return _unavailable("no_smtp_server", f"{place} does not answer like an SMTP server. Check the port.")


def _unavailable(reason: str, detail: str) -> Meaning:
    return Meaning(verdict=Verdict.DEFERRED, reason=reason, detail=detail)
