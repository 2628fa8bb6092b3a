"""Who may be written to on a channel: consent, an address, no suppression. Never NULL, over a FROM with profiles."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, false, func, not_, true

from profiles.moment import Moment
from store import json, schema


def can_receive(channel: str, topic: str, moment: Moment) -> ColumnElement[bool]:
    """Consent, an address, and no suppression."""
    return and_(granted(channel, topic, moment), reachable(channel), not_(suppressed(channel)))


def granted(channel: str, topic: str, moment: Moment) -> ColumnElement[bool]:
    """Consent for channel and topic is given, or taken as given where there is no row (`Moment.consent`)."""
    row = schema.consents.alias()
    about = and_(row.c.profile_id == schema.profiles.c.id, row.c.channel == channel, row.c.topic == topic)
    if channel in moment.consent:
        return ~exists().where(about, not_(row.c.granted)).correlate_except(row)
    return exists().where(about, row.c.granted).correlate_except(row)


_PHONE = (schema.profiles.c.phone, schema.profiles.c.phone_hash)
_ADDRESSES = {
    "email": (schema.profiles.c.email, schema.profiles.c.email_hash),
    "sms": _PHONE,
    "whatsapp": _PHONE,
}


def reachable(channel: str) -> ColumnElement[bool]:
    """The channel's address is known. Channels without an address of the person (webhook, ads) always are."""
    if channel == "push":
        token = json.Text(schema.profiles.c.custom, ("push_token",))
        return func.coalesce(token != "", false())
    if channel not in _ADDRESSES:
        return true()
    address = _ADDRESSES[channel][0]
    return and_(address.is_not(None), address != "")


def suppressed(channel: str) -> ColumnElement[bool]:
    """Nothing may be sent to the person's address on this channel: it bounced, complained or was unsubscribed."""
    if channel not in _ADDRESSES:
        return false()
    row = schema.suppressions.alias()
    address_hash = _ADDRESSES[channel][1]
    return exists().where(row.c.channel == channel, row.c.address_hash == address_hash).correlate_except(row)
