"""What a project is set to: `winback.toml`, overridden by `WINBACK_…` environment variables."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, ValidationError

from dsl.suggest import did_you_mean, nearest

FILE = "winback.toml"
PREFIX = "WINBACK_"
SHORTEST_SECRET = 16
"""Characters."""
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_RATE = re.compile(r"([1-9][0-9]{0,6}) per (second|minute|hour)")


class SettingsError(Exception):
    """A project that cannot be opened. `place` is a file or a variable; `way_out` is one or two sentences."""

    def __init__(self, place: str, reason: str, way_out: str) -> None:
        super().__init__(f"{place}: {reason}\nHint: {way_out}")
        self.place = place
        self.reason = reason
        self.way_out = way_out


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, LookupError, OSError):  # a folder of zones is no zone, and raises OSError
        raise ValueError(f"`{value}` is not an IANA time zone. Write one like `Europe/Oslo` or `UTC`.") from None
    return value


def _currency(value: str) -> str:
    if not (len(value) == 3 and value.isascii() and value.isalpha() and value.isupper()):
        raise ValueError(f"`{value}` is not a currency. Write its three capital letters, like `USD` or `EUR`.")
    return value


def _country(value: str) -> str:
    if not (len(value) == 2 and value.isascii() and value.isalpha() and value.isupper()):
        raise ValueError(f"`{value}` is not a country. Write its two capital letters, like `US` or `NO`.")
    return value


class Shop(BaseModel):
    """The shop as templates see it."""

    model_config = ConfigDict(extra="forbid")

    name: str = "My shop"
    address: str = ""
    """Postal address: marketing mail without one is not sent."""
    url: str = "https://shop.example"
    currency: Annotated[str, AfterValidator(_currency)] = "USD"
    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    country: Annotated[str, AfterValidator(_country)] | None = None
    """Two letters; phone numbers without a country code are read as this country's."""


class Consent(BaseModel):
    """What counts where a person has no consent row."""

    model_config = ConfigDict(extra="forbid")

    email: Literal["required", "assumed"] = "required"


def _rate(value: str) -> str:
    if _RATE.fullmatch(value) is None:
        raise ValueError(f"`{value}` is not a limit. Write one like `10 per second` or `600 per minute`.")
    return value


class Limits(BaseModel):
    """The most messages of a channel that all processes together may send in a time: what the provider allows."""

    model_config = ConfigDict(extra="forbid")

    email: Annotated[str, AfterValidator(_rate)] | None = None
    sms: Annotated[str, AfterValidator(_rate)] | None = None
    push: Annotated[str, AfterValidator(_rate)] | None = None
    crm: Annotated[str, AfterValidator(_rate)] | None = None


def rates(limits: Limits) -> dict[str, tuple[int, int]]:
    """By channel the limits that are set, as messages and seconds."""
    found = {}
    for channel, text in limits.model_dump().items():
        if text is not None and (parts := _RATE.fullmatch(text)) is not None:
            found[channel] = int(parts[1]), _SECONDS[parts[2]]
    return found


class Settings(BaseModel):
    """Every setting. `[shop] name` of the file is `WINBACK_SHOP__NAME` in the environment."""

    model_config = ConfigDict(extra="forbid")

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
    limits: Limits = Limits()


def find(start: Path) -> Path | None:
    """The folder with `winback.toml`, from `start` upwards."""
    return next((folder for folder in (start, *start.parents) if (folder / FILE).is_file()), None)


def read(folder: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of the project in `folder`; what `environment` (default: the process's) says goes before the file.

    Raises SettingsError.
    """
    told = os.environ if environment is None else environment
    path = folder / FILE
    values = _file(path)
    _no_secrets(values, path)
    for names, (_, value) in _variables(told).items():
        section = values
        for name in names[:-1]:
            section = section.setdefault(name, {})
            if not isinstance(section, dict):
                break
        else:
            section[names[-1]] = value
    try:
        return Settings(**values)
    except ValidationError as error:
        raise _told(error.errors()[0], path, told) from None


def _file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(str(path), f"This is not TOML: {error}.", 'Texts stand in "quotes".') from None
    except UnicodeDecodeError:
        raise SettingsError(str(path), "This file is not UTF-8 text.", "Save it as UTF-8.") from None
    except OSError as error:
        raise SettingsError(
            str(path), f"It cannot be read: {error.strerror}.", "See that it is a file that you may read."
        ) from None


def _no_secrets(values: Mapping[str, Any], path: Path) -> None:
    """The file is shared and committed. Raises SettingsError."""
    if "secret" in values:
        raise SettingsError(
            f"{path}: secret",
            "A key does not belong into this file, which others may read.",
            "Remove it from here, and set WINBACK_SECRET. Without it the project makes a key of its own.",
        )
    url = values.get("smtp_url")
    if isinstance(url, str) and ":" in url.partition("://")[2].rpartition("@")[0]:
        raise SettingsError(
            f"{path}: smtp_url",
            "A password does not belong into this file, which others may read.",
            "Remove it from here, and set WINBACK_SMTP_URL.",
        )


def _variables(environment: Mapping[str, str]) -> dict[tuple[str, ...], tuple[str, str]]:
    """The settings in the environment: the setting's names, with the variable and its text.

    Raises SettingsError for a variable that is nearly a setting: a slip would leave the setting as it was.
    """
    known = _names(Settings)
    found: dict[tuple[str, ...], tuple[str, str]] = {}
    for variable, text in environment.items():
        if not variable.startswith(PREFIX):
            continue
        if variable in known:
            found[known[variable]] = (variable, text)
        elif "__" in variable or nearest(variable.removeprefix(PREFIX), [n.removeprefix(PREFIX) for n in known]):
            raise SettingsError(
                variable, "This is not a setting.", did_you_mean(variable, known) or f"The settings are {_all()}."
            )
    return found


def _names(model: type[BaseModel], before: tuple[str, ...] = ()) -> dict[str, tuple[str, ...]]:
    """Each setting's variable, with its names in the file."""
    found: dict[str, tuple[str, ...]] = {}
    for name, field in model.model_fields.items():
        names = (*before, name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= _names(field.annotation, names)
        else:
            found[PREFIX + "__".join(names).upper()] = names
    return found


def _all() -> str:
    return ", ".join(sorted(".".join(names) for names in _names(Settings).values()))


def _told(problem: Any, path: Path, environment: Mapping[str, str]) -> SettingsError:
    """What pydantic found, as place, reason and way out. Never quotes a secret."""
    names = tuple(str(part) for part in problem["loc"] if "[" not in str(part))
    variable = PREFIX + "__".join(names).upper()
    place = variable if variable in environment else f"{path}: {'.'.join(names)}"
    known = [".".join(each) for each in _names(Settings).values()]
    if problem["type"] == "extra_forbidden":
        return SettingsError(
            place, "This is not a setting.", did_you_mean(".".join(names), known) or f"The settings are {_all()}."
        )
    told = problem["msg"].removeprefix("Value error, ")
    reason, dot, way_out = told.partition(". ")
    if dot:
        return SettingsError(place, reason + ".", way_out)
    if problem["type"] == "literal_error":
        expected = problem["ctx"]["expected"].replace("'", "`")
        return SettingsError(place, f"`{problem['input']}` is not possible here.", f"Write {expected}.")
    if problem["type"] == "model_type":
        return SettingsError(place, "This is a section.", f"Write [{names[-1]}], and its settings below.")
    return SettingsError(place, f"{told}.", "docs/settings.md has an example of each setting.")


def secret(folder: Path, settings: Settings) -> bytes:
    """The project's key: `WINBACK_SECRET`, or the file `.winback/secret`, made when there is none.

    Raises SettingsError for a key of fewer than 16 characters.
    """
    if settings.secret is not None:
        given = settings.secret.get_secret_value()
        if len(given) < SHORTEST_SECRET:
            raise SettingsError(
                "WINBACK_SECRET",
                "This key is too short to sign unsubscribe links with.",
                f"Use at least {SHORTEST_SECRET} characters, like the output of `openssl rand -hex 32`.",
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
