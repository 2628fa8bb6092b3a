"""what branches saw"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    comment = "What its branches asked, by the names of the fields, as it was then; null: nothing."
    with op.batch_alter_table("journal", schema=None) as batch_op:
        batch_op.add_column(sa.Column("saw", Json, nullable=True, comment=comment))
