"""Machine estimates

Additive: studies embedded before this have no estimates until an encoder goes
through them again, as every new encoder does.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "machine_estimate",
        sa.Column("encoder_id", sa.Text(), nullable=False),
        sa.Column("study", sa.String(length=24), nullable=False),
        sa.Column("quantity", sa.String(length=40), nullable=False),
        sa.Column("input_digest", sa.String(length=24), nullable=False),
        sa.Column(
            "value", sa.Double(), nullable=False, comment="in the encoder's own, biased scale"
        ),
        sa.Column(
            "spread", sa.Double(), nullable=False, comment="one standard deviation of the value"
        ),
        sa.ForeignKeyConstraint(
            ["study"],
            ["study.id"],
            name=op.f("fk_machine_estimate_study_study"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "encoder_id", "study", "quantity", name=op.f("pk_machine_estimate")
        ),
    )
    op.create_index(op.f("ix_machine_estimate_study"), "machine_estimate", ["study"], unique=False)


def downgrade():
    op.drop_table("machine_estimate")
