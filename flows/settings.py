"""What a project is set to: `winback.toml`, overridden by `WINBACK_…` environment variables."""

from __future__ import annotations

import contextlib
import os
import secrets
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

FILE = "winback.toml"


class SettingsError(Exception):
    """A project that cannot be opened: the place, the reason and the way out, as one text."""


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"`{value}` is not an IANA time zone; write one like `Europe/Oslo` or `UTC`")
    return value


Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Shop(BaseModel):
    """The shop as templates see it."""

    model_config = ConfigDict(extra="forbid")

    name: str = "My shop"
    address: str = ""
    """Postal address: marketing mail without one is not sent."""
    url: str = "https://shop.example"
    currency: Currency = "USD"
    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    country: str | None = None
    """Two letters; phone numbers without a country code are read as this country's."""


class Consent(BaseModel):
    """What counts where a person has no consent row."""

    model_config = ConfigDict(extra="forbid")

    email: Literal["required", "assumed"] = "required"


class Settings(BaseSettings):
    """Every setting. A list in the file is given in the environment as JSON; `[shop] name` as `WINBACK_SHOP__NAME`."""

    model_config = SettingsConfigDict(env_prefix="WINBACK_", env_nested_delimiter="__", extra="forbid")

    store: str = "sqlite:///winback.db"
    """SQLAlchemy URL; a relative SQLite path counts from the project's folder."""
    email: Literal["file", "smtp"] = "file"
    email_from: str = "My shop <hello@shop.example>"
    smtp_url: SecretStr | None = None
    """`smtp://user:password@host:port`, `smtps://…`, `?starttls=yes`."""
    sms: Literal["file"] = "file"
    outbox: str = "outbox"
    """The folder of the file connectors, counted from the project's folder."""
    secret: SecretStr | None = None
    """Key of signed links and keyed hashes; without one, the file `.winback/secret` holds it."""
    shop: Shop = Shop()
    consent: Consent = Consent()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  pydantic's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment goes before the file, whose values come as arguments."""
        return (env_settings, init_settings)


def find(start: Path) -> Path | None:
    """The folder with `winback.toml`, from `start` upwards."""
    return next((folder for folder in (start, *start.parents) if (folder / FILE).is_file()), None)


def read(folder: Path) -> Settings:
    """The settings of the project in `folder`. Raises SettingsError."""
    path = folder / FILE
    values: dict[str, Any] = {}
    if path.is_file():
        try:
            values = tomllib.loads(path.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f'{path}: this is not TOML: {error}\nHint: Texts stand in "quotes".') from None
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingsError("\n".join(_sentence(path, problem) for problem in error.errors())) from None


def _sentence(path: Path, problem: Any) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    variable = "WINBACK_" + "__".join(str(part) for part in problem["loc"]).upper()
    place = f"environment variable {variable}" if variable in os.environ else f"{path}: `{name}`"
    if problem["type"] == "extra_forbidden":
        known = ", ".join(sorted(Settings.model_fields))
        return f"{place} is not a setting.\nHint: The settings are {known}."
    return f"{place}: {problem['msg'].removeprefix('Value error, ')}."


def secret(folder: Path, settings: Settings) -> bytes:
    """The project's key: `WINBACK_SECRET`, or the file `.winback/secret`, made when there is none.

    Raises SettingsError for a key of fewer than 16 characters.
    """
    if settings.secret is not None:
        given = settings.secret.get_secret_value()
        if len(given) < 16:
            raise SettingsError(
                "environment variable WINBACK_SECRET is too short: it signs unsubscribe links.\n"
                "Hint: Use at least 16 characters, like the output of `openssl rand -hex 32`."
            )
        return given.encode()
    path = folder / ".winback" / "secret"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / ".gitignore").write_text("*\n")
        draft = path.with_name(f"secret.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        with contextlib.suppress(FileExistsError):  # another process was quicker: its key is the project's
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_bytes().strip()
