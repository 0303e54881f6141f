"""The first schema

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "report",
        sa.Column(
            "arrival",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="order of arrival",
        ),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of the text"),
        sa.Column(
            "study",
            sa.String(length=24),
            nullable=True,
            comment="pseudonym of the StudyInstanceUID it names",
        ),
        sa.Column(
            "accession_key",
            sa.String(length=24),
            nullable=True,
            comment="pseudonym of the AccessionNumber it names",
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("impression", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("arrival", name=op.f("pk_report")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_report_accession_key"), "report", ["accession_key"], unique=False)
    op.create_index(op.f("ix_report_study"), "report", ["study"], unique=False)

    op.create_table(
        "study",
        sa.Column(
            "id",
            sa.String(length=24),
            nullable=False,
            comment="pseudonym of StudyInstanceUID (0020,000D) UI",
        ),
        sa.Column(
            "patient",
            sa.String(length=24),
            nullable=False,
            comment="pseudonym of PatientID (0010,0020) LO and its issuer",
        ),
        sa.Column("sex", sa.String(length=40), nullable=True, comment="PatientSex (0010,0040) CS"),
        sa.Column(
            "age_years",
            sa.Integer(),
            nullable=True,
            comment="PatientAge (0010,1010) AS in whole years; 90 stands for 90 and over",
        ),
        sa.Column(
            "height_cm", sa.Double(), nullable=True, comment="PatientSize (0010,1020) DS in cm"
        ),
        sa.Column(
            "weight_kg", sa.Double(), nullable=True, comment="PatientWeight (0010,1030) DS in kg"
        ),
        sa.Column("bsa_m2", sa.Double(), nullable=True, comment="body surface area by Mosteller"),
        sa.Column("site", sa.String(length=16), nullable=False, comment="code of the site"),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False, comment="why not indexed; empty if it is"),
        sa.Column(
            "year", sa.Integer(), nullable=True, comment="true year of StudyDate (0008,0020) DA"
        ),
        sa.Column(
            "acquired_on",
            sa.Date(),
            nullable=True,
            comment="StudyDate (0008,0020) DA, shifted by the patient's keyed number of days",
        ),
        sa.Column("vendor", sa.Text(), nullable=True, comment="Manufacturer (0008,0070) LO"),
        sa.Column(
            "model", sa.Text(), nullable=True, comment="ManufacturerModelName (0008,1090) LO"
        ),
        sa.Column("software", sa.Text(), nullable=True, comment="SoftwareVersions (0018,1020) LO"),
        sa.Column(
            "field_strength_t",
            sa.Double(),
            nullable=True,
            comment="MagneticFieldStrength (0018,0087) DS in tesla",
        ),
        sa.Column(
            "contrast",
            sa.Boolean(),
            nullable=True,
            comment="ContrastBolusAgent (0018,0010) LO given",
        ),
        sa.Column(
            "heart_rate_bpm",
            sa.Double(),
            nullable=True,
            comment="HeartRate (0018,1088) IS in beats per minute",
        ),
        sa.Column(
            "accession_key",
            sa.String(length=24),
            nullable=True,
            comment="pseudonym of AccessionNumber (0008,0050) SH",
        ),
        sa.Column(
            "source_digest",
            sa.String(length=64),
            nullable=False,
            comment="digest of the files read: keys, sizes, times",
        ),
        sa.Column("released", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('indexed', 'excluded', 'quarantined', 'failed', 'pending')",
            name=op.f("ck_study_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study")),
    )
    op.create_index(op.f("ix_study_accession_key"), "study", ["accession_key"], unique=False)
    op.create_index(op.f("ix_study_patient"), "study", ["patient"], unique=False)
    op.create_index(op.f("ix_study_site"), "study", ["site"], unique=False)
    op.create_index(op.f("ix_study_state"), "study", ["state"], unique=False)

    op.create_table(
        "embedded",
        sa.Column("study", sa.String(length=24), nullable=False),
        sa.Column("encoder_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study"], ["study.id"], name=op.f("fk_embedded_study_study"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("study", "encoder_id", name=op.f("pk_embedded")),
    )
    op.create_table(
        "file",
        sa.Column("key", sa.String(length=24), nullable=False, comment="pseudonym of its path"),
        sa.Column("study", sa.String(length=24), nullable=True),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False, comment="why not used; empty if it is"),
        sa.Column(
            "size",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="bytes",
        ),
        sa.Column(
            "modified_ns", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["study"], ["study.id"], name=op.f("fk_file_study_study"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_file")),
    )
    op.create_index(op.f("ix_file_study"), "file", ["study"], unique=False)

    op.create_table(
        "finding",
        sa.Column("report", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, comment="0-based"),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("polarity", sa.String(length=40), nullable=False),
        sa.Column(
            "start_at", sa.Integer(), nullable=False, comment="first character of its sentence"
        ),
        sa.Column("end_at", sa.Integer(), nullable=False, comment="one past the last"),
        sa.ForeignKeyConstraint(
            ["report"],
            ["report.arrival"],
            name=op.f("fk_finding_report_report"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("report", "position", name=op.f("pk_finding")),
    )
    op.create_table(
        "report_version",
        sa.Column("chain", sa.String(length=24), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="1-based"),
        sa.Column("report", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("newest", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["report"],
            ["report.arrival"],
            name=op.f("fk_report_version_report_report"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("chain", "version", name=op.f("pk_report_version")),
    )
    op.create_index(op.f("ix_report_version_report"), "report_version", ["report"], unique=False)

    op.create_table(
        "series",
        sa.Column("study", sa.String(length=24), nullable=False),
        sa.Column(
            "id",
            sa.String(length=24),
            nullable=False,
            comment="pseudonym of SeriesInstanceUID (0020,000E) UI",
        ),
        sa.Column("position", sa.Integer(), nullable=False, comment="0-based place in its study"),
        sa.Column("view", sa.String(length=40), nullable=False),
        sa.Column("technique", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False, comment="why not indexed; empty if it is"),
        sa.Column("slices", sa.Integer(), nullable=False),
        sa.Column("phases", sa.Integer(), nullable=False),
        sa.Column("clips", sa.Integer(), nullable=False),
        sa.Column(
            "spacing_mm",
            sa.JSON(),
            nullable=True,
            comment="PixelSpacing (0028,0030) DS: down, across",
        ),
        sa.Column(
            "slice_spacing_mm",
            sa.Double(),
            nullable=True,
            comment="along the normal, from ImagePositionPatient (0020,0032) DS",
        ),
        sa.ForeignKeyConstraint(
            ["study"], ["study.id"], name=op.f("fk_series_study_study"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("study", "id", name=op.f("pk_series")),
    )
    op.create_table(
        "clip",
        sa.Column("id", sa.String(length=24), nullable=False, comment="digest of its content"),
        sa.Column("study", sa.String(length=24), nullable=False),
        sa.Column("series", sa.String(length=24), nullable=False),
        sa.Column("view", sa.String(length=40), nullable=False),
        sa.Column("technique", sa.String(length=40), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("slice_index", sa.Integer(), nullable=False, comment="0-based; base first"),
        sa.Column("slice_count", sa.Integer(), nullable=False),
        sa.Column("phases", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False, comment="Rows (0028,0010) US"),
        sa.Column("columns", sa.Integer(), nullable=False, comment="Columns (0028,0011) US"),
        sa.Column(
            "spacing_mm",
            sa.JSON(),
            nullable=False,
            comment="PixelSpacing (0028,0030) DS: down, across",
        ),
        sa.Column("slice_spacing_mm", sa.Double(), nullable=True),
        sa.Column(
            "thickness_mm", sa.Double(), nullable=True, comment="SliceThickness (0018,0050) DS"
        ),
        sa.Column(
            "position_mm", sa.JSON(), nullable=False, comment="ImagePositionPatient (0020,0032) DS"
        ),
        sa.Column(
            "row_direction",
            sa.JSON(),
            nullable=False,
            comment="ImageOrientationPatient (0020,0037) DS, first half",
        ),
        sa.Column(
            "column_direction",
            sa.JSON(),
            nullable=False,
            comment="ImageOrientationPatient (0020,0037) DS, second half",
        ),
        sa.Column("oriented", sa.Boolean(), nullable=False),
        sa.Column(
            "frame_times_ms",
            sa.JSON(),
            nullable=False,
            comment="TriggerTime (0018,1060) DS, one per phase",
        ),
        sa.Column("rr_ms", sa.Double(), nullable=True, comment="NominalInterval (0018,1062) IS"),
        sa.Column("tr_ms", sa.Double(), nullable=True, comment="RepetitionTime (0018,0080) DS"),
        sa.Column("te_ms", sa.Double(), nullable=True, comment="EchoTime (0018,0081) DS"),
        sa.Column("ti_ms", sa.Double(), nullable=True, comment="InversionTime (0018,0082) DS"),
        sa.Column("flip_deg", sa.Double(), nullable=True, comment="FlipAngle (0018,1314) DS"),
        sa.Column("slope", sa.Double(), nullable=False, comment="RescaleSlope (0028,1053) DS"),
        sa.Column(
            "intercept", sa.Double(), nullable=False, comment="RescaleIntercept (0028,1052) DS"
        ),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column(
            "monochrome1",
            sa.Boolean(),
            nullable=False,
            comment="PhotometricInterpretation (0028,0004) CS is MONOCHROME1",
        ),
        sa.ForeignKeyConstraint(
            ["study", "series"],
            ["series.study", "series.id"],
            name=op.f("fk_clip_study_series_series"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clip")),
    )
    op.create_index(
        "ix_clip_study_view_technique", "clip", ["study", "view", "technique"], unique=False
    )

    op.create_table(
        "embedding",
        sa.Column(
            "key",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
            comment="63 bits of SHA-256 of the rest",
        ),
        sa.Column("study", sa.String(length=24), nullable=False),
        sa.Column(
            "clip", sa.String(length=24), nullable=True, comment="NULL: the study as a whole"
        ),
        sa.Column("input_digest", sa.String(length=24), nullable=False),
        sa.Column("encoder_id", sa.Text(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False, comment="float32, little-endian"),
        sa.ForeignKeyConstraint(
            ["clip"], ["clip.id"], name=op.f("fk_embedding_clip_clip"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["study"], ["study.id"], name=op.f("fk_embedding_study_study"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_embedding")),
    )
    op.create_index(op.f("ix_embedding_clip"), "embedding", ["clip"], unique=False)
    op.create_index(
        "ix_embedding_mask", "embedding", ["encoder_id", "key", "study", "clip"], unique=False
    )
    op.create_index(
        "uq_embedding_clip",
        "embedding",
        ["study", "clip", "input_digest", "encoder_id"],
        unique=True,
    )
    op.create_index(
        "uq_embedding_study",
        "embedding",
        ["study", "input_digest", "encoder_id"],
        unique=True,
        sqlite_where=sa.text("clip IS NULL"),
        postgresql_where=sa.text("clip IS NULL"),
    )

    if op.get_bind().dialect.name == "sqlite":
        _fts5()
    else:
        _tsvector()


def _fts5():
    op.execute(
        "CREATE VIRTUAL TABLE report_fts USING fts5("
        "text, content='report', content_rowid='arrival', "
        "tokenize='porter unicode61 remove_diacritics 2')"
    )
    op.execute(
        "CREATE TRIGGER report_fts_insert AFTER INSERT ON report BEGIN "
        "INSERT INTO report_fts(rowid, text) VALUES (new.arrival, new.text); END"
    )
    op.execute(
        "CREATE TRIGGER report_fts_delete AFTER DELETE ON report BEGIN "
        "INSERT INTO report_fts(report_fts, rowid, text) "
        "VALUES ('delete', old.arrival, old.text); END"
    )


def _tsvector():
    # The built-in English configuration drops "no" and "not"; FTS5 does not.
    op.execute(
        "CREATE TEXT SEARCH DICTIONARY cineseek_stem (TEMPLATE = snowball, LANGUAGE = english)"
    )
    op.execute("CREATE TEXT SEARCH CONFIGURATION cineseek (COPY = english)")
    op.execute(
        "ALTER TEXT SEARCH CONFIGURATION cineseek "
        "ALTER MAPPING REPLACE english_stem WITH cineseek_stem"
    )
    op.execute(
        "CREATE INDEX report_fts ON report USING gin (to_tsvector('cineseek'::regconfig, text))"
    )


def downgrade():
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE report_fts")

    op.drop_table("embedding")

    op.drop_table("clip")
    op.drop_table("series")

    op.drop_table("report_version")
    op.drop_table("finding")

    op.drop_table("file")
    op.drop_table("embedded")

    op.drop_table("study")

    op.drop_table("report")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TEXT SEARCH CONFIGURATION cineseek")
        op.execute("DROP TEXT SEARCH DICTIONARY cineseek_stem")
