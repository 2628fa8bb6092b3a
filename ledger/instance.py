"""Which store this is, and the keys of its sends."""

from __future__ import annotations

import hashlib
import uuid

from sqlalchemy import Connection, select

from store.schema import facts
from store.upsert import insert_new


def instance_id(connection: Connection) -> str:
    """32 hexadecimal digits that no other store has; made at the first use. Needs a transaction that writes."""
    connection.execute(insert_new(connection, facts).values(name="instance", value=uuid.uuid4().hex))
    found = connection.scalar(select(facts.c.value).where(facts.c.name == "instance"))
    return str(found)


def send_key(instance: str, playbook: str, enrollment_id: int, step: str, occurrence: int) -> str:
    """The key of a send: 32 hexadecimal digits, the same for every try and every version of the playbook.

    Hashed, so that it may stand in a Message-ID or a file name and tells nothing of the person.
    """
    text = "\n".join((instance, playbook, str(enrollment_id), step, str(occurrence)))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
