"""Measurements

Additive: reports that came before this have no measurements, and nobody knows
what read them, until `cineseek-index reread` goes through them.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column(
        "report",
        sa.Column(
            "reader",
            sa.String(length=24),
            nullable=True,
            comment="digest of what read findings and measurements; NULL: not known",
        ),
    )
    op.create_table(
        "measurement",
        sa.Column(
            "report",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("position", sa.Integer(), nullable=False, comment="0-based"),
        sa.Column("quantity", sa.String(length=40), nullable=False),
        sa.Column("low", sa.Double(), nullable=True, comment="least value; NULL: not bounded"),
        sa.Column("high", sa.Double(), nullable=True, comment="greatest value; NULL: not bounded"),
        sa.Column("holds_low", sa.Boolean(), nullable=False, comment="false for '> low'"),
        sa.Column("holds_high", sa.Boolean(), nullable=False, comment="false for '< high'"),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column(
            "start_at", sa.Integer(), nullable=False, comment="first character of its sentence"
        ),
        sa.Column("end_at", sa.Integer(), nullable=False, comment="one past the last"),
        sa.ForeignKeyConstraint(
            ["report"],
            ["report.arrival"],
            name=op.f("fk_measurement_report_report"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("report", "position", name=op.f("pk_measurement")),
    )


def downgrade():
    op.drop_table("measurement")
    op.drop_column("report", "reader")
