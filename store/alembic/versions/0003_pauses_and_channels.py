"""pauses and channels"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "channels",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("closed_until", sa.BigInteger(), nullable=True, comment="The provider asked for a pause until then."),
        sa.Column(
            "failures",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="Messages in a row for which there was no connection.",
        ),
        sa.Column(
            "openings",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="How often the circuit opened in a row: each time it stays open for longer.",
        ),
        sa.Column(
            "open_until",
            sa.BigInteger(),
            nullable=True,
            comment="The circuit is open: from here on one message is tried; null: it is shut.",
        ),
        sa.Column(
            "next_at",
            sa.BigInteger(),
            nullable=True,
            comment="Limits: the next message may go from here on, by the wall clock.",
        ),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_channels")),
        comment="What all processes that send must agree on, by channel.",
    )
    # Pauses that providers asked for were facts: they last minutes, and are asked for again.
    op.execute("DELETE FROM facts WHERE name LIKE 'closed:%'")
    with op.batch_alter_table("playbooks", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "overdue_before",
                sa.BigInteger(),
                nullable=True,
                comment="Who was due before this was held up by a pause for more than a day.",
            )
        )
        batch_op.add_column(
            sa.Column(
                "rested",
                sa.Boolean(),
                server_default=sa.false(),
                nullable=False,
                comment="Nobody was let in since a pause: the next tick is like a first one.",
            )
        )
    if op.get_bind().dialect.name == "postgresql":  # SQLite keeps no comments
        op.alter_column(
            "playbooks",
            "paused_at",
            existing_type=sa.BigInteger(),
            comment="Since when nobody enters, moves on or is sent anything; null: it runs.",
        )
