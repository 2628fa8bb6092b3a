"""Records for a CRM, as JSON: what `create task for sales` and `update contact` ask for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from dsl.conditions import Operand
from dsl.delivery import Message
from dsl.plan import Record
from dsl.types import Type
from ledger.channel import Job

PERSON = ("email", "phone", "first_name", "last_name")


def record_message(
    job: Job, step: Record, fields: Mapping[str, tuple[Operand, Any]], person: Mapping[str, Any], *, currency: str,
    as_of: datetime,
) -> Message:  # fmt: skip
    """The record as a message. `fields`: the arguments with their values; `person`: the profile's fields by name.

    Money is `{"amount": "250.00", "currency": "USD"}`, a time ISO 8601 in UTC, what is not known null.
    """
    content = {
        "key": job.key,
        "action": step.verb,
        "record": step.noun,
        "team": step.team,
        "person": {
            "profile_id": job.profile_id,
            "user_id": person.get("user_id"),
            **{name: person.get(name) for name in PERSON},
        },
        "fields": {name: shown(value, operand.type, currency) for name, (operand, value) in fields.items()},
        "playbook": job.playbook,
        "step": job.step,
        "at": as_of.isoformat(),
    }
    text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
    return Message(
        key=job.key, channel=job.channel, address=job.address, sender="", content=text.encode(),
        headers={"Template": step.noun, "Date": as_of.isoformat()},
    )  # fmt: skip


def shown(value: Any, kind: Type, currency: str) -> Any:
    """A value of a person or a constant (money in hundredths) as JSON."""
    match value:
        case None:
            return None
        case int() if kind is Type.MONEY:
            return _money(value, currency)
        case datetime() | date():
            return value.isoformat()
        case list():
            return [shown(each, Type.ANY, currency) for each in value]
        case dict():
            return {
                name: shown(each, Type.MONEY if name == "price" else Type.ANY, currency) for name, each in value.items()
            }
    return value


def _money(cents: int, currency: str) -> dict[str, str]:
    sign = "-" if cents < 0 else ""
    return {"amount": f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02}", "currency": currency}
