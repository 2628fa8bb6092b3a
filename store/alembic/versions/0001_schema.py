"""The whole schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "assignments",
        sa.Column("experiment", sa.Text(), nullable=False),
        sa.Column("profile_id", Id, nullable=False),
        sa.Column("playbook", sa.Text(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="The first exposure."),
        sa.PrimaryKeyConstraint("experiment", "profile_id", name="pk_assignments"),
    )
    with op.batch_alter_table("assignments") as batch_op:
        batch_op.create_index("ix_assignments_profile_id", ["profile_id"], unique=False)

    op.create_table(
        "facts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", Json, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_facts"),
        comment="What the store knows of itself: instance, currency, hash key check.",
    )
    op.create_table(
        "imports",
        sa.Column(
            "file_hash",
            sa.Text(),
            nullable=False,
            comment="Of the file's path, size and first block, and of the mapping.",
        ),
        sa.Column(
            "position", sa.BigInteger(), nullable=False, comment="Bytes (JSONL) or rows (CSV) that are in the store."
        ),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("counts", Json, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("file_hash", name="pk_imports"),
    )
    op.create_table(
        "journal",
        sa.Column("enrollment_id", Id, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("path", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("enrollment_id", "at", "region", name="pk_journal"),
        comment="Each pass of a person through a region; with the plan, every step and branch taken.",
    )
    op.create_table(
        "matches",
        sa.Column("playbook", sa.Text(), nullable=False),
        sa.Column("profile_id", Id, nullable=False),
        sa.Column("tick", sa.Text(), nullable=False, comment="The tick that saw the condition turn true."),
        sa.PrimaryKeyConstraint("playbook", "profile_id", name="pk_matches"),
        comment="For whom the condition of `start when` held at the last tick.",
    )
    with op.batch_alter_table("matches") as batch_op:
        batch_op.create_index("ix_matches_profile_id", ["profile_id"], unique=False)

    op.create_table(
        "outbox",
        sa.Column("id", Id, nullable=False),
        sa.Column("playbook", sa.Text(), nullable=False),
        sa.Column("enrollment_id", Id, nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("profile_id", Id, nullable=False),
        sa.Column(
            "digest",
            sa.Text(),
            nullable=False,
            comment="The plan with the arguments. No part of the key: no edit resends.",
        ),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Text(),
            nullable=False,
            comment="planned, claimed, sending, accepted, failed, unknown, assumed_sent, skipped, cancelled",
        ),
        sa.Column("reason", sa.Text(), nullable=True, comment="Why it was not sent, or why later."),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("planned_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False, comment="Later than this it is skipped as late."),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("owner", sa.Text(), nullable=True, comment="The process that holds the lease."),
        sa.Column(
            "token", sa.Text(), nullable=True, comment="Fencing: a late write with another token changes nothing."
        ),
        sa.Column(
            "lease_until", sa.BigInteger(), nullable=True, comment="By the wall clock, unlike every other time here."
        ),
        sa.Column("address_hash", sa.Text(), nullable=True, comment="Keyed hash of the address it went to."),
        sa.Column("slot_at", sa.BigInteger(), nullable=True, comment="Counts against frequency caps from here on."),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("enrollment_id", "step", "occurrence", name="uq_outbox_enrollment_id_step_occurrence"),
    )
    with op.batch_alter_table("outbox") as batch_op:
        batch_op.create_index("ix_outbox_address", ["address_hash", "playbook", "step"], unique=False)
        batch_op.create_index("ix_outbox_due", ["channel", "state", "due_at"], unique=False)
        batch_op.create_index("ix_outbox_person", ["profile_id", "channel", "slot_at"], unique=False)
        batch_op.create_index("ix_outbox_playbook", ["playbook", "state"], unique=False)

    op.create_table(
        "plans",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("playbook", sa.Text(), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_plans"),
    )
    with op.batch_alter_table("plans") as batch_op:
        batch_op.create_index("ix_plans_playbook", ["playbook"], unique=False)

    op.create_table(
        "products",
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("brand", sa.Text(), nullable=True),
        sa.Column("image_url", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=False, comment="The time of the newest event that spoke of it."),
        sa.Column(
            "set_at",
            Json,
            nullable=True,
            comment="Per column the time of the event that set it: the newest wins; null: seen_at.",
        ),
        sa.PrimaryKeyConstraint("product_id", name="pk_products"),
    )
    with op.batch_alter_table("products") as batch_op:
        batch_op.create_index("ix_products_category", ["category"], unique=False)

    op.create_table(
        "profiles",
        sa.Column("id", Id, nullable=False),
        sa.Column(
            "bucket",
            sa.Integer(),
            nullable=False,
            comment="Stable hash of the person, 0 … 2^31-2: experiments and holdouts.",
        ),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column(
            "email_hash", sa.Text(), nullable=True, comment="Keyed hash of the address: suppression is looked up by it."
        ),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("phone_hash", sa.Text(), nullable=True),
        sa.Column("first_name", sa.Text(), nullable=True),
        sa.Column("last_name", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("device", sa.Text(), nullable=True),
        sa.Column("birthday", sa.Text(), nullable=True, comment="YYYY-MM-DD"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("custom", Json, nullable=False, comment="Traits of the shop's own, by name."),
        sa.Column(
            "set_at", Json, nullable=False, comment="Per attribute the time of the call that set it: the newest wins."
        ),
        sa.Column("merged_into", Id, nullable=True, comment="The profile that took this one over; null: alive."),
        sa.PrimaryKeyConstraint("id", name="pk_profiles"),
    )
    with op.batch_alter_table("profiles") as batch_op:
        batch_op.create_index("ix_profiles_email", ["email"], unique=False)

    op.create_table(
        "starts",
        sa.Column("playbook", sa.Text(), nullable=False),
        sa.Column("event", Id, nullable=False, comment="events.id"),
        sa.Column("tick", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("playbook", "event", name="pk_starts"),
        comment="Events that `start on` has looked at. Rows older than the look-back are removed.",
    )
    op.create_table(
        "suppressions",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column(
            "address_hash",
            sa.Text(),
            nullable=False,
            comment="Keyed hash: survives erasure without holding the address.",
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="hard_bounce, complaint, unsubscribed, …"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "address_hash", name="pk_suppressions"),
    )
    op.create_table(
        "ticks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("playbook", sa.Text(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("report", Json, nullable=False, comment="What the tick did, as `run --json` prints it."),
        sa.PrimaryKeyConstraint("id", name="pk_ticks"),
    )
    with op.batch_alter_table("ticks") as batch_op:
        batch_op.create_index("ix_ticks_playbook", ["playbook"], unique=False)

    op.create_table(
        "consents",
        sa.Column("profile_id", Id, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name="fk_consents_profile_id"),
        sa.PrimaryKeyConstraint("profile_id", "channel", "topic", name="pk_consents"),
    )
    op.create_table(
        "enrollments",
        sa.Column("id", Id, nullable=False),
        sa.Column("playbook", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("profile_id", Id, nullable=False),
        sa.Column(
            "key", sa.Text(), server_default="", nullable=False, comment="The value of `enter once per`; empty without."
        ),
        sa.Column("event", Id, nullable=True, comment="events.id of the event that started it"),
        sa.Column("holdout", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="active, done, left"),
        sa.Column("reason", sa.Text(), nullable=True, comment="Why it ended: end, stop, `on order_completed`, …"),
        sa.Column(
            "step", sa.Text(), nullable=True, comment="Where the region begins that comes next; null when ended."
        ),
        sa.Column("due_at", sa.BigInteger(), nullable=True, comment="When it goes on."),
        sa.Column("entered_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("converted_at", sa.BigInteger(), nullable=True, comment="Time of the first event that met the goal."),
        sa.Column(
            "pass", sa.Text(), nullable=True, comment="The region pass at work on it, inside one transaction only."
        ),
        sa.Column("path", sa.BigInteger(), nullable=True, comment="The choices of that pass, packed."),
        sa.ForeignKeyConstraint(["digest"], ["plans.digest"], name="fk_enrollments_digest"),
        sa.PrimaryKeyConstraint("id", name="pk_enrollments"),
    )
    with op.batch_alter_table("enrollments") as batch_op:
        batch_op.create_index("ix_enrollments_due", ["playbook", "state", "step", "due_at"], unique=False)
        batch_op.create_index("ix_enrollments_person", ["profile_id", "playbook", "entered_at"], unique=False)
        batch_op.create_index(
            "uq_enrollments_live",
            ["playbook", "profile_id", "key"],
            unique=True,
            sqlite_where=sa.text("state = 'active'"),
            postgresql_where=sa.text("state = 'active'"),
        )

    op.create_table(
        "events",
        sa.Column("id", Id, nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.Text(), nullable=False, comment="The same event_id with another hash is a conflict."),
        sa.Column("profile_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="snake_case: order_completed"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("properties", Json, nullable=False),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name="fk_events_profile_id"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.UniqueConstraint("event_id", name="uq_events_event_id"),
    )
    with op.batch_alter_table("events") as batch_op:
        batch_op.create_index("ix_events_name_at", ["name", "at"], unique=False)
        batch_op.create_index("ix_events_profile_id_name_at", ["profile_id", "name", "at"], unique=False)

    op.create_table(
        "identities",
        sa.Column("kind", sa.Text(), nullable=False, comment="user_id, anonymous_id, email, phone"),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("profile_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name="fk_identities_profile_id"),
        sa.PrimaryKeyConstraint("kind", "value", name="pk_identities"),
    )
    with op.batch_alter_table("identities") as batch_op:
        batch_op.create_index("ix_identities_profile_id", ["profile_id"], unique=False)

    op.create_table(
        "order_items",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("profile_id", Id, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name="fk_order_items_profile_id"),
        sa.PrimaryKeyConstraint("order_id", "product_id", "profile_id", name="pk_order_items"),
    )
    with op.batch_alter_table("order_items") as batch_op:
        batch_op.create_index("ix_order_items_product_id_at", ["product_id", "at"], unique=False)
        batch_op.create_index("ix_order_items_profile_id", ["profile_id"], unique=False)

    op.create_table(
        "orders",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("profile_id", Id, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False, comment="Less refunds."),
        sa.Column("cancelled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name="fk_orders_profile_id"),
        sa.PrimaryKeyConstraint("order_id", "profile_id", name="pk_orders"),
    )
    with op.batch_alter_table("orders") as batch_op:
        batch_op.create_index("ix_orders_profile_id", ["profile_id"], unique=False)

    op.create_table(
        "playbooks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False, comment="The plan that people enter on."),
        sa.Column("first_tick_at", sa.BigInteger(), nullable=True),
        sa.Column(
            "last_tick_at",
            sa.BigInteger(),
            nullable=True,
            comment="The newest as_of of a tick; an older one is refused.",
        ),
        sa.Column("paused_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["digest"], ["plans.digest"], name="fk_playbooks_digest"),
        sa.PrimaryKeyConstraint("name", name="pk_playbooks"),
    )
    op.create_table(
        "traits",
        sa.Column("profile_id", Id, nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=True),
        sa.Column("cart_total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cart_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cart_updated_at", sa.BigInteger(), nullable=True),
        sa.Column("checkout_step", sa.Integer(), nullable=True),
        sa.Column("checkout_updated_at", sa.BigInteger(), nullable=True),
        sa.Column("orders_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("orders_value", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("orders_first_at", sa.BigInteger(), nullable=True),
        sa.Column("orders_last_at", sa.BigInteger(), nullable=True),
        sa.Column("orders_last_total", sa.BigInteger(), nullable=True),
        sa.Column("browsing_last_category", sa.Text(), nullable=True),
        sa.Column(
            "newest",
            Json,
            nullable=True,
            comment="[at, event_id] of the newest event folded in: older ones make the row be folded anew.",
        ),
        sa.Column("browsing_products", Json, nullable=False, comment="Newest first, at most 20 products."),
        sa.Column("cart_items", Json, nullable=False, comment="Products with quantity."),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name="fk_traits_profile_id"),
        sa.PrimaryKeyConstraint("profile_id", name="pk_traits"),
    )
    with op.batch_alter_table("traits") as batch_op:
        batch_op.create_index("ix_traits_cart_updated_at", ["cart_updated_at"], unique=False)
        batch_op.create_index("ix_traits_last_seen_at", ["last_seen_at"], unique=False)
        batch_op.create_index("ix_traits_orders_last_at", ["orders_last_at"], unique=False)
