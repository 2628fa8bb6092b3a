"""audiences and stages"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "memberships",
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("profile_id", Id, nullable=False),
        sa.Column("member", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "told_at",
            sa.BigInteger(),
            nullable=True,
            comment="When the service outside took this change over; null: it has to be told.",
        ),
        sa.Column(
            "told_as",
            sa.Text(),
            nullable=True,
            comment="SHA-256 of the address by which the service knows the member; null: it does not.",
        ),
        sa.PrimaryKeyConstraint("audience", "profile_id", name=op.f("pk_memberships")),
    )
    with op.batch_alter_table("memberships", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_memberships_profile_id"), ["profile_id"], unique=False)

    op.create_table(
        "stages",
        sa.Column("profile_id", Id, nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name=op.f("fk_stages_profile_id")),
        sa.PrimaryKeyConstraint("profile_id", name=op.f("pk_stages")),
        comment="The lifecycle stage that the last look found, and since which look.",
    )
    with op.batch_alter_table("stages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stages_stage"), ["stage"], unique=False)

    if op.get_bind().dialect.name == "postgresql":  # SQLite keeps no comments
        op.alter_column(
            "enrollments",
            "step",
            existing_type=sa.Text(),
            existing_comment="Where the region begins that comes next; null when ended.",
            comment="The wait at which the person stands, or `(start)`; null when ended.",
        )
