"""What people had said of themselves by a time. A store keeps the newest word; older ones are in identify calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsl.conditions import JSON
from profiles.attributes import COLUMNS, attributes_of, put
from profiles.ingest import Rules
from profiles.values import CallError
from store.addresses import address_hash

_CREATED = "created_at"
Row = dict[str, Any]
Said = dict[int, tuple[dict[str, JSON], dict[str, int]]]
"""By profile the attributes that identify calls gave it, and when (microseconds)."""


def hear(said: Said, profile: int, at: int, traits: Mapping[str, Any], rules: Rules | None) -> None:
    """Put down what an identify call says. One that was taken in by other rules, and cannot be read by these, is
    passed over."""
    zone = traits.get("time_zone") or traits.get("timezone")
    try:
        given = attributes_of(
            traits,
            time_zone=zone if isinstance(zone, str) else None,
            device=None,
            region=rules.default_region if rules else None,
        )
    except CallError:
        return
    attributes, set_at = said.setdefault(profile, ({}, {}))
    for name, value in given.items():
        put(attributes, set_at, name, value, at)


def moments(row: Row) -> set[int]:
    """The times at which a stored profile became what it is: as `person_then` gives it, it changes at no other, but by
    identify calls and by its first event."""
    return {row[_CREATED], *row["set_at"].values()}


def person_then(row: Row, until: int, first: Mapping[int, int], said: Said, rules: Rules | None) -> Row | None:
    """A stored profile without what was only said after `until`; None for one that was not there.

    `first`: by profile the time of the first event, as far as it is not after `until`. `said`: by then. `rules` make
    the hashes of addresses that were others then.
    """
    id = row["id"]
    if row["merged_into"] is not None or (row[_CREATED] > until and id not in first):
        return None
    told, told_at = said.get(id, ({}, {}))
    later = {name for name, at in row["set_at"].items() if at > until}
    custom = {name: value for name, value in row["custom"].items() if f"custom.{name}" not in later}
    made = dict(row)
    for name in later:
        before = told.get(name)
        if name in COLUMNS:
            made[name] = before
        elif name.startswith("custom.") and before is not None:
            custom[name.removeprefix("custom.")] = before
    for kind in {"email", "phone"} & later:
        address = made[kind]
        made[f"{kind}_hash"] = address_hash(address, rules.hash_key) if address and rules else None
    if _CREATED in later or row[_CREATED] > until:
        made[_CREATED] = told.get(_CREATED) or first.get(id, row[_CREATED])
    set_at = {name: at for name, at in row["set_at"].items() if at <= until}
    return {**made, "custom": custom, "set_at": {**set_at, **{name: told_at[name] for name in later & told_at.keys()}}}


def keep_newer(row: Row, there: Mapping[str, Any]) -> None:
    """Put fields of the shop's own into `row` that are newer in `there`: a playbook has set them since."""
    prefix = "custom."
    for name, at in there["set_at"].items():
        if name.startswith(prefix) and at > row["set_at"].get(name, at - 1):
            field = name.removeprefix(prefix)
            row["set_at"] = {**row["set_at"], name: at}
            row["custom"] = {key: value for key, value in row["custom"].items() if key != field}
            if field in there["custom"]:
                row["custom"][field] = there["custom"][field]
