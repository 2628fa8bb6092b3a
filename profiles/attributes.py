"""What traits say of a person: columns of `profiles` under their names, the shop's own traits as `custom.NAME`.

Values are kept with the time of the call that gave them, and the newest wins, so the order of arrival does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from dsl.conditions import JSON
from profiles.consent import is_consent
from profiles.values import MAX_ID, MAX_TEXT, CallError, rank, shown, time_of

COLUMNS = (
    "email",
    "phone",
    "first_name",
    "last_name",
    "country",
    "city",
    "language",
    "time_zone",
    "device",
    "birthday",
)
_ALIASES = {"firstname": "first_name", "lastname": "last_name", "locale": "language", "timezone": "time_zone"}
_DEVICES = {
    **dict.fromkeys(("mobile", "phone", "smartphone", "ios", "iphone", "android"), "mobile"),
    **dict.fromkeys(("tablet", "ipad"), "tablet"),
    **dict.fromkeys(("desktop", "web", "computer", "laptop", "pc"), "desktop"),
}
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def attributes_of(
    traits: Mapping[str, Any], *, time_zone: str | None, device: str | None, region: str | None
) -> dict[str, JSON]:
    """The attributes that a call sets; None removes one. `region` (like `US`) reads phone numbers without a country.

    Raises CallError for an address, number, day or time that cannot be read. A zone that does not exist is passed over.
    """
    made: dict[str, JSON] = {}
    if address := traits.get("address"):
        for part in ("country", "city") if isinstance(address, dict) else ():
            if isinstance(address.get(part), str):
                made[part] = _column(part, address[part], region)
    for given, value in traits.items():
        if is_consent(given):
            continue
        name = _ALIASES.get(given, given)
        if name != given and name in traits:
            continue
        if name == "created_at":
            if value is not None:
                made[name] = time_of("created_at", value)
        elif name not in COLUMNS:
            made[f"custom.{name}"] = value
        elif name not in ("device", "time_zone"):
            made[name] = _column(name, value, region)
    if time_zone is not None and _zone_exists(time_zone):
        made["time_zone"] = time_zone
    if device is not None:
        made["device"] = _DEVICES.get(device.lower(), device.lower())
    return made


@lru_cache(maxsize=65536)
def email_of(value: str) -> str:
    """The address with its domain in lower case. Raises CallError; asks no name server."""
    try:
        found = validate_email(value.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise CallError(f"`email` is {shown(value)}, which is not an address: {error}") from None
    return found.normalized


@lru_cache(maxsize=65536)
def phone_of(value: str, region: str | None) -> str:
    """The number in E.164 form, like +4712345678. Raises CallError."""
    way_out = "Write it with its country, like +47 12 34 56 78" + ("." if region else ", or set the shop's region.")
    try:
        found = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        raise CallError(f"`phone` is {shown(value)}, which is not a phone number. {way_out}") from None
    if not phonenumbers.is_possible_number(found):
        raise CallError(f"`phone` is {shown(value)}, which no phone number can be. {way_out}")
    return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)


def put(attributes: dict[str, JSON], set_at: dict[str, int], name: str, value: JSON, at: int) -> bool:
    """Set an attribute unless a newer call has; of one time the larger value stays. True when something changed."""
    known = set_at.get(name)
    if known is not None and (at < known or (at == known and rank(value) <= rank(attributes.get(name)))):
        return False
    set_at[name] = at
    attributes[name] = value
    return True


def _column(name: str, value: object, region: str | None) -> JSON:
    if value is None or value == "":
        return None
    if name == "phone" and isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise CallError(f"`{name}` is {shown(value)}; it must be a text.")
    match name:
        case "email":
            return email_of(value)
        case "phone":
            return phone_of(value, region)
        case "birthday":
            return _day(value)
        case "language":
            return re.split("[-_]", value.strip())[0].lower()[:MAX_ID] or None
        case "country":
            text = value.strip()
            return text.upper() if len(text) == 2 else text[:MAX_ID]
    return value.strip()[:MAX_TEXT] or None


def _day(value: str) -> str:
    try:
        if not _DATE.match(value):
            raise ValueError
        return date.fromisoformat(value[:10]).isoformat()
    except ValueError:
        raise CallError(f"`birthday` is {shown(value)}, which is not a day. Write it like 1990-12-24.") from None


@lru_cache(maxsize=1024)
def _zone_exists(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # which of them, goes by what is wrong with the name
        return False
    return True
