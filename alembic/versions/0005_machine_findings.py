"""Machine findings

Additive: nothing is in it until `cineseek classify --write` puts it there.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "machine_finding",
        sa.Column("encoder_id", sa.Text(), nullable=False),
        sa.Column("study", sa.String(length=24), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="what it was written under"),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("asked", sa.JSON(), nullable=False, comment="phrasings, or example studies"),
        sa.Column("score", sa.Double(), nullable=False, comment="in the method's own scale"),
        sa.Column(
            "percentile",
            sa.Double(),
            nullable=False,
            comment="among the studies compared, 0 to 100",
        ),
        sa.Column("low", sa.Double(), nullable=True, comment="percentile; NULL: spread not known"),
        sa.Column("high", sa.Double(), nullable=True, comment="percentile; NULL: spread not known"),
        sa.Column("studies", sa.Integer(), nullable=False, comment="how many were compared"),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False, comment="program and version"),
        sa.ForeignKeyConstraint(
            ["study"],
            ["study.id"],
            name=op.f("fk_machine_finding_study_study"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "encoder_id", "study", "name", "question", name=op.f("pk_machine_finding")
        ),
    )
    op.create_index(op.f("ix_machine_finding_study"), "machine_finding", ["study"], unique=False)


def downgrade():
    op.drop_table("machine_finding")
