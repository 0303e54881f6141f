"""A revision of who may answer

Triggers, so that no write can forget to raise it: whatever inserts, updates or
deletes a study, a clip or an embedding, by whatever program, leaves the study
under a number higher than any before, in the same transaction. Cascades of
foreign keys fire them too. Every number is taken from one row, which writers
therefore change one after the other: who sees a number sees all that lies
below it.

Additive: who reads a catalog for the first time reads all of it.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

OWNERS = {"study": "id", "clip": "study", "embedding": "study"}
"""Tables that decide who is eligible and which keys there are; their column with the study."""

RAISE = "UPDATE catalog_revision SET number = number + 1"
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
    counter = op.create_table(
        "catalog_revision",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", BIG, nullable=False, comment="raised by every change"),
        sa.CheckConstraint("id = 1", name=op.f("ck_catalog_revision_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_revision")),
    )
    op.create_table(
        "study_revision",
        sa.Column("study", sa.String(length=24), nullable=False, comment="here or gone"),
        sa.Column("number", BIG, nullable=False, comment="of its last change"),
        sa.PrimaryKeyConstraint("study", name=op.f("pk_study_revision")),
    )
    op.create_index(op.f("ix_study_revision_number"), "study_revision", ["number"], unique=False)
    op.create_index("ix_clip_kind", "clip", ["study", "id", "view", "technique"], unique=False)
    op.create_index(
        "ix_embedding_owner", "embedding", ["encoder_id", "study", "clip", "key"], unique=False
    )
    op.bulk_insert(counter, [{"id": 1, "number": 0}])
    if op.get_bind().dialect.name == "sqlite":
        _sqlite()
    else:
        _postgresql()


def _sqlite():
    for table, column in OWNERS.items():
        for event, sides in SIDES.items():
            marks = "; ".join(MARK.format(study=f"{side}.{column}") for side in sides)
            op.execute(
                f"CREATE TRIGGER {table}_revision_{event.lower()} AFTER {event} ON {table} "
                f"BEGIN {RAISE}; {marks}; END"
            )


def _postgresql():
    for table, column in OWNERS.items():
        marks = {side: MARK.format(study=f"{side}.{column}") for side in ("old", "new")}
        op.execute(
            f"CREATE FUNCTION {table}_revision() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"{RAISE}; "
            f"IF TG_OP <> 'INSERT' THEN {marks['old']}; END IF; "
            f"IF TG_OP <> 'DELETE' THEN {marks['new']}; END IF; "
            "RETURN NULL; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_revision AFTER INSERT OR UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_revision()"
        )
    # TRUNCATE removes rows without a word to the triggers of rows.
    op.execute(
        "CREATE FUNCTION every_revision() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"{RAISE}; {MARK_ALL}; RETURN NULL; END $$"
    )
    for table in OWNERS:
        op.execute(
            f"CREATE TRIGGER {table}_revision_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION every_revision()"
        )


def downgrade():
    if op.get_bind().dialect.name == "sqlite":
        for table in OWNERS:
            for event in SIDES:
                op.execute(f"DROP TRIGGER {table}_revision_{event.lower()}")
    else:
        for table in OWNERS:
            op.execute(f"DROP TRIGGER {table}_revision_truncate ON {table}")
            op.execute(f"DROP TRIGGER {table}_revision ON {table}")
            op.execute(f"DROP FUNCTION {table}_revision()")
        op.execute("DROP FUNCTION every_revision()")
    op.drop_index("ix_embedding_owner", table_name="embedding")
    op.drop_index("ix_clip_kind", table_name="clip")
    op.drop_table("study_revision")
    op.drop_table("catalog_revision")
