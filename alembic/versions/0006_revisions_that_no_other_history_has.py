"""Revisions that no other history has

A counter says nothing once a backup is restored: the same numbers are given
again, to other changes. So each revision lies a random step above the one
before, and the latest are kept. A revision that is not among them was given
in another history, or too long ago: whoever knows only that reads all.

Additive: what is known of studies stays.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

OWNERS = {"study": "id", "clip": "study", "embedding": "study"}
"""Tables that decide who is eligible and which keys there are; their column with the study."""

STEP = 2**31
"""Revisions grow by 1 to so much. Billions of changes fit into 63 bits."""

KEPT = 100_000 * STEP
"""How far back revisions are kept: about 200,000 changes of a row."""

STEPS = {
    "sqlite": f"1 + (random() & {STEP - 1})",
    "postgresql": f"1 + floor(random() * {STEP})::bigint",
}
COUNT = "UPDATE catalog_revision SET number = number + 1"
RAISE = (
    "UPDATE catalog_revision SET number = number + {step}",
    "INSERT INTO catalog_history (number) SELECT number FROM catalog_revision",
    "DELETE FROM catalog_history WHERE number < (SELECT number FROM catalog_revision) - {kept}",
)
MARK = (
    "INSERT INTO study_revision (study, number) "
    "VALUES ({study}, (SELECT number FROM catalog_revision)) "
    "ON CONFLICT (study) DO UPDATE SET number = excluded.number"
)
MARK_ALL = (
    "INSERT INTO study_revision (study, number) "
    "SELECT id, (SELECT number FROM catalog_revision) FROM study "
    "ON CONFLICT (study) DO UPDATE SET number = excluded.number"
)
SIDES = {"INSERT": ("new",), "UPDATE": ("old", "new"), "DELETE": ("old",)}


def upgrade():
    dialect = op.get_bind().dialect.name
    op.create_table(
        "catalog_history",
        sa.Column(
            "number",
            BIG,
            autoincrement=False,
            nullable=False,
            comment="the latest revisions, no two histories the same",
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_catalog_history")),
    )
    raised = [one.format(step=STEPS[dialect], kept=KEPT) for one in RAISE]
    for statement in raised:
        op.execute(statement)
    if dialect == "sqlite":
        _drop_sqlite()
    _watch(dialect, "; ".join(raised))


def downgrade():
    dialect = op.get_bind().dialect.name
    if dialect == "sqlite":
        _drop_sqlite()
    _watch(dialect, COUNT)
    op.drop_table("catalog_history")


def _drop_sqlite():
    for table in OWNERS:
        for event in SIDES:
            op.execute(f"DROP TRIGGER {table}_revision_{event.lower()}")


def _watch(dialect, raised):
    """Have every change do what `raised` says, and mark its study."""
    if dialect == "sqlite":
        _sqlite(raised)
    else:
        _postgresql(raised)


def _sqlite(raised):
    for table, column in OWNERS.items():
        for event, sides in SIDES.items():
            marks = "; ".join(MARK.format(study=f"{side}.{column}") for side in sides)
            op.execute(
                f"CREATE TRIGGER {table}_revision_{event.lower()} AFTER {event} ON {table} "
                f"BEGIN {raised}; {marks}; END"
            )


def _postgresql(raised):
    for table, column in OWNERS.items():
        marks = {side: MARK.format(study=f"{side}.{column}") for side in ("old", "new")}
        op.execute(
            f"CREATE OR REPLACE FUNCTION {table}_revision() RETURNS trigger "
            f"LANGUAGE plpgsql AS $$ BEGIN {raised}; "
            f"IF TG_OP <> 'INSERT' THEN {marks['old']}; END IF; "
            f"IF TG_OP <> 'DELETE' THEN {marks['new']}; END IF; "
            "RETURN NULL; END $$"
        )
    op.execute(
        "CREATE OR REPLACE FUNCTION every_revision() RETURNS trigger "
        f"LANGUAGE plpgsql AS $$ BEGIN {raised}; {MARK_ALL}; RETURN NULL; END $$"
    )
