"""Every table. Times are microseconds since 1970 in UTC, money is in hundredths of the store's currency: both compare
and add the same on SQLite and PostgreSQL, and exactly."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.dialects.postgresql import JSONB

Json = JSON().with_variant(JSONB(), "postgresql")
Id = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite makes only INTEGER primary keys count up by themselves."""
Micros = BigInteger
Cents = BigInteger

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

facts = Table(
    "facts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Json, nullable=False),
    comment="What the store knows of itself: instance, currency, hash key check.",
)

# ── People ────────────────────────────────────────────────────────────────────────────────────────────────────────────
profiles = Table(
    "profiles",
    metadata,
    Column("id", Id, primary_key=True),
    Column(
        "bucket", Integer, nullable=False, comment="Stable hash of the person, 0 … 2^31-2: experiments and holdouts."
    ),
    Column("user_id", Text),
    Column("email", Text),
    Column("email_hash", Text, comment="Keyed hash of the address: suppression is looked up by it."),
    Column("phone", Text),
    Column("phone_hash", Text),
    Column("first_name", Text),
    Column("last_name", Text),
    Column("country", Text),
    Column("city", Text),
    Column("language", Text),
    Column("time_zone", Text),
    Column("device", Text),
    Column("birthday", Text, comment="YYYY-MM-DD"),
    Column("created_at", Micros, nullable=False),
    Column("custom", Json, nullable=False, comment="Traits of the shop's own, by name."),
    Column("set_at", Json, nullable=False, comment="Per attribute the time of the call that set it: the newest wins."),
    Column("merged_into", Id, comment="The profile that took this one over; null: alive."),
)
Index("ix_profiles_email", profiles.c.email)

identities = Table(
    "identities",
    metadata,
    Column("kind", Text, primary_key=True, comment="user_id, anonymous_id, email, phone"),
    Column("value", Text, primary_key=True),
    Column("profile_id", Id, ForeignKey("profiles.id"), nullable=False, index=True),
)

traits = Table(
    "traits",
    metadata,
    Column("profile_id", Id, ForeignKey("profiles.id"), primary_key=True),
    Column("last_seen_at", Micros, index=True),
    Column("cart_total", Cents, nullable=False, server_default="0"),
    Column("cart_count", Integer, nullable=False, server_default="0"),
    Column("cart_updated_at", Micros, index=True),
    Column("checkout_step", Integer),
    Column("checkout_updated_at", Micros),
    Column("orders_count", Integer, nullable=False, server_default="0"),
    Column("orders_value", Cents, nullable=False, server_default="0"),
    Column("orders_first_at", Micros),
    Column("orders_last_at", Micros, index=True),
    Column("orders_last_total", Cents),
    Column("browsing_last_category", Text),
    Column(
        "newest", Json, comment="[at, event_id] of the newest event folded in: older ones make the row be folded anew."
    ),
    Column("browsing_products", Json, nullable=False, comment="Newest first, at most 20 products."),
    Column("cart_items", Json, nullable=False, comment="Products with quantity."),
)

events = Table(
    "events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("event_id", Text, nullable=False, unique=True),
    Column("body_hash", Text, nullable=False, comment="The same event_id with another hash is a conflict."),
    Column("profile_id", Id, ForeignKey("profiles.id"), nullable=False),
    Column("name", Text, nullable=False, comment="snake_case: order_completed"),
    Column("at", Micros, nullable=False),
    Column("received_at", Micros, nullable=False),
    Column("properties", Json, nullable=False),
)
Index("ix_events_profile_id_name_at", events.c.profile_id, events.c.name, events.c.at)
Index("ix_events_name_at", events.c.name, events.c.at)

orders = Table(
    "orders",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("profile_id", Id, ForeignKey("profiles.id"), primary_key=True, index=True),
    Column("at", Micros, nullable=False),
    Column("total", Cents, nullable=False, comment="Less refunds."),
    Column("cancelled", Boolean, nullable=False, server_default=false()),
)

order_items = Table(
    "order_items",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("product_id", Text, primary_key=True),
    Column("profile_id", Id, ForeignKey("profiles.id"), primary_key=True, index=True),
    Column("at", Micros, nullable=False),
    Column("quantity", Integer, nullable=False),
)
Index("ix_order_items_product_id_at", order_items.c.product_id, order_items.c.at)

products = Table(
    "products",
    metadata,
    Column("product_id", Text, primary_key=True),
    Column("name", Text),
    Column("price", Cents),
    Column("category", Text, index=True),
    Column("brand", Text),
    Column("image_url", Text),
    Column("url", Text),
    Column("seen_at", Micros, nullable=False, comment="The time of the newest event that spoke of it."),
    Column("set_at", Json, comment="Per column the time of the event that set it: the newest wins; null: seen_at."),
)

consents = Table(
    "consents",
    metadata,
    Column("profile_id", Id, ForeignKey("profiles.id"), primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("granted", Boolean, nullable=False),
    Column("source", Text, nullable=False),
    Column("at", Micros, nullable=False),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("address_hash", Text, primary_key=True, comment="Keyed hash: survives erasure without holding the address."),
    Column("reason", Text, nullable=False, comment="hard_bounce, complaint, unsubscribed, …"),
    Column("at", Micros, nullable=False),
)

memberships = Table(
    "memberships",
    metadata,
    Column("audience", Text, primary_key=True),
    Column("profile_id", Id, primary_key=True, index=True),
    Column("member", Boolean, nullable=False),
    Column("changed_at", Micros, nullable=False),
    Column("told_at", Micros, comment="When the service outside took this change over; null: it has to be told."),
    Column("told_as", Text, comment="SHA-256 of the address by which the service knows the member; null: it does not."),
)

stages = Table(
    "stages",
    metadata,
    Column("profile_id", Id, ForeignKey("profiles.id"), primary_key=True),
    Column("stage", Text, nullable=False, index=True),
    Column("since", Micros, nullable=False),
    comment="The lifecycle stage that the last look found, and since which look.",
)

imports = Table(
    "imports",
    metadata,
    Column(
        "file_hash", Text, primary_key=True, comment="Of the file's path, size and first block, and of the mapping."
    ),
    Column("position", BigInteger, nullable=False, comment="Bytes (JSONL) or rows (CSV) that are in the store."),
    Column("done", Boolean, nullable=False),
    Column("counts", Json, nullable=False),
    Column("at", Micros, nullable=False),
)

# ── Ledger ────────────────────────────────────────────────────────────────────────────────────────────────────────────
plans = Table(
    "plans",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("playbook", Text, nullable=False, index=True),
    Column("body", Json, nullable=False),
    Column("created_at", Micros, nullable=False),
)

playbooks = Table(
    "playbooks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("digest", Text, ForeignKey("plans.digest"), nullable=False, comment="The plan that people enter on."),
    Column("first_tick_at", Micros),
    Column("last_tick_at", Micros, comment="The newest as_of of a tick; an older one is refused."),
    Column("paused_at", Micros, comment="Since when nobody enters, moves on or is sent anything; null: it runs."),
    Column("overdue_before", Micros, comment="Who was due before this was held up by a pause for more than a day."),
    Column(
        "rested",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="Nobody was let in since a pause: the next tick is like a first one.",
    ),
)

matches = Table(
    "matches",
    metadata,
    Column("playbook", Text, primary_key=True),
    Column("profile_id", Id, primary_key=True, index=True),
    Column("tick", Text, nullable=False, comment="The tick that saw the condition turn true."),
    comment="For whom the condition of `start when` held at the last tick.",
)

starts = Table(
    "starts",
    metadata,
    Column("playbook", Text, primary_key=True),
    Column("event", Id, primary_key=True, comment="events.id"),
    Column("tick", Text, nullable=False),
    Column("at", Micros, nullable=False),
    comment="Events that `start on` has looked at. Rows older than the look-back are removed.",
)

enrollments = Table(
    "enrollments",
    metadata,
    Column("id", Id, primary_key=True),
    Column("playbook", Text, nullable=False),
    Column("digest", Text, ForeignKey("plans.digest"), nullable=False),
    Column("profile_id", Id, nullable=False),
    Column("key", Text, nullable=False, server_default="", comment="The value of `enter once per`; empty without."),
    Column("event", Id, comment="events.id of the event that started it"),
    Column("holdout", Boolean, nullable=False),
    Column("state", Text, nullable=False, comment="active, done, left"),
    Column("reason", Text, comment="Why it ended: end, stop, `on order_completed`, …"),
    Column("step", Text, comment="The wait at which the person stands, or `(start)`; null when ended."),
    Column("due_at", Micros, comment="When it goes on."),
    Column("entered_at", Micros, nullable=False),
    Column("ended_at", Micros),
    Column("converted_at", Micros, comment="Time of the first event that met the goal."),
    Column("pass", Text, comment="The region pass at work on it, inside one transaction only."),
    Column("path", BigInteger, comment="The choices of that pass, packed."),
)
Index(
    "uq_enrollments_live", enrollments.c.playbook, enrollments.c.profile_id, enrollments.c.key,
    unique=True, sqlite_where=enrollments.c.state == "active", postgresql_where=enrollments.c.state == "active",
)  # fmt: skip
Index("ix_enrollments_due", enrollments.c.playbook, enrollments.c.state, enrollments.c.step, enrollments.c.due_at)
Index("ix_enrollments_person", enrollments.c.profile_id, enrollments.c.playbook, enrollments.c.entered_at)

journal = Table(
    "journal",
    metadata,
    Column("enrollment_id", Id, primary_key=True),
    Column("at", Micros, primary_key=True),
    Column("region", Text, primary_key=True),
    Column("path", BigInteger, nullable=False),
    Column("saw", Json, comment="What its branches asked, by the names of the fields, as it was then; null: nothing."),
    comment="Each pass of a person through a region; with the plan, every step and branch taken.",
)

assignments = Table(
    "assignments",
    metadata,
    Column("experiment", Text, primary_key=True),
    Column("profile_id", Id, primary_key=True, index=True),
    Column("playbook", Text, nullable=False),
    Column("variant", Text, nullable=False),
    Column("at", Micros, nullable=False, comment="The first exposure."),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Id, primary_key=True),
    Column("playbook", Text, nullable=False),
    Column("enrollment_id", Id, nullable=False),
    Column("step", Text, nullable=False),
    Column("occurrence", Integer, nullable=False),
    Column("profile_id", Id, nullable=False),
    Column("digest", Text, nullable=False, comment="The plan with the arguments. No part of the key: no edit resends."),
    Column("channel", Text, nullable=False),
    Column("template", Text, nullable=False),
    Column("state", Text, nullable=False,
           comment="planned, claimed, sending, accepted, failed, unknown, assumed_sent, skipped, cancelled"),
    Column("reason", Text, comment="Why it was not sent, or why later."),
    Column("detail", Text),
    Column("planned_at", Micros, nullable=False),
    Column("due_at", Micros, nullable=False),
    Column("expires_at", Micros, nullable=False, comment="Later than this it is skipped as late."),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("owner", Text, comment="The process that holds the lease."),
    Column("token", Text, comment="Fencing: a late write with another token changes nothing."),
    Column("lease_until", Micros, comment="By the wall clock, unlike every other time here."),
    Column("address_hash", Text, comment="Keyed hash of the address it went to."),
    Column("slot_at", Micros, comment="Counts against frequency caps from here on."),
    Column("settled_at", Micros),
    Column("provider_id", Text),
    UniqueConstraint("enrollment_id", "step", "occurrence"),
)  # fmt: skip
Index("ix_outbox_due", outbox.c.channel, outbox.c.state, outbox.c.due_at)
Index("ix_outbox_person", outbox.c.profile_id, outbox.c.channel, outbox.c.slot_at)
Index("ix_outbox_address", outbox.c.address_hash, outbox.c.playbook, outbox.c.step)
Index("ix_outbox_playbook", outbox.c.playbook, outbox.c.state)

channels = Table(
    "channels",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("closed_until", Micros, comment="The provider asked for a pause until then."),
    Column("failures", Integer, nullable=False, server_default="0",
           comment="Messages in a row for which there was no connection."),
    Column("openings", Integer, nullable=False, server_default="0",
           comment="How often the circuit opened in a row: each time it stays open for longer."),
    Column("open_until", Micros, comment="The circuit is open: from here on one message is tried; null: it is shut."),
    Column("next_at", Micros, comment="Limits: the next message may go from here on, by the wall clock."),
    comment="What all processes that send must agree on, by channel.",
)  # fmt: skip

ticks = Table(
    "ticks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("playbook", Text, nullable=False, index=True),
    Column("as_of", Micros, nullable=False),
    Column("report", Json, nullable=False, comment="What the tick did, as `run --json` prints it."),
)
