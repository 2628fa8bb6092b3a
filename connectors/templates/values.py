"""The profile as a template reads it: `profile.cart.total`, unknown fields None, sums of nothing 0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsl.catalog import FIELDS, SUMS


def _empty() -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name in FIELDS:
        _put(made, name, 0 if name in SUMS else None)
    return made


def _put(into: dict[str, Any], name: str, value: Any) -> None:
    *groups, last = name.split(".")
    for group in groups:
        into = into.setdefault(group, {})
    into[last] = value


_EMPTY = _empty()


def profile_values(profile: Mapping[str, Any]) -> dict[str, Any]:
    """Nested tables out of names with dots, over the fields that every profile has."""
    made = {name: dict(value) if isinstance(value, dict) else value for name, value in _EMPTY.items()}
    for name, value in profile.items():
        if "." in name:
            _put(made, name, value)
        elif isinstance(value, Mapping) and isinstance(made.get(name), dict):
            made[name].update(value)
        else:
            made[name] = value
    return made
