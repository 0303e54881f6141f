"""The SQL schema, and nothing else."""

from datetime import date, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from retrieval.catalog.columns import BIG, PSEUDONYM, Base, Floats, Word
from retrieval.values.estimate import Quantity
from retrieval.values.finding import FindingName, Polarity
from retrieval.values.machine_finding import Method
from retrieval.values.study import Sex, State, Technique, View


class StudyRow(Base):
    """One study, in whatever state it is."""

    __tablename__ = "study"
    __table_args__ = (
        CheckConstraint(
            "state IN ('indexed', 'excluded', 'quarantined', 'failed', 'pending')", name="state"
        ),
    )

    id: Mapped[str] = mapped_column(
        PSEUDONYM, primary_key=True, comment="pseudonym of StudyInstanceUID (0020,000D) UI"
    )
    patient: Mapped[str] = mapped_column(
        PSEUDONYM, index=True, comment="pseudonym of PatientID (0010,0020) LO and its issuer"
    )
    sex: Mapped[Sex | None] = mapped_column(Word(Sex), comment="PatientSex (0010,0040) CS")
    age_years: Mapped[int | None] = mapped_column(
        Integer, comment="PatientAge (0010,1010) AS in whole years; 90 stands for 90 and over"
    )
    height_cm: Mapped[float | None] = mapped_column(
        Double, comment="PatientSize (0010,1020) DS in cm"
    )
    weight_kg: Mapped[float | None] = mapped_column(
        Double, comment="PatientWeight (0010,1030) DS in kg"
    )
    bsa_m2: Mapped[float | None] = mapped_column(Double, comment="body surface area by Mosteller")
    site: Mapped[str] = mapped_column(String(16), index=True, comment="code of the site")
    state: Mapped[State] = mapped_column(Word(State), index=True)
    reason: Mapped[str] = mapped_column(Text, comment="why not indexed; empty if it is")
    year: Mapped[int | None] = mapped_column(
        Integer, comment="true year of StudyDate (0008,0020) DA"
    )
    acquired_on: Mapped[date | None] = mapped_column(
        Date, comment="StudyDate (0008,0020) DA, shifted by the patient's keyed number of days"
    )
    vendor: Mapped[str | None] = mapped_column(Text, comment="Manufacturer (0008,0070) LO")
    model: Mapped[str | None] = mapped_column(Text, comment="ManufacturerModelName (0008,1090) LO")
    software: Mapped[str | None] = mapped_column(Text, comment="SoftwareVersions (0018,1020) LO")
    field_strength_t: Mapped[float | None] = mapped_column(
        Double, comment="MagneticFieldStrength (0018,0087) DS in tesla"
    )
    contrast: Mapped[bool | None] = mapped_column(
        Boolean, comment="ContrastBolusAgent (0018,0010) LO given"
    )
    heart_rate_bpm: Mapped[float | None] = mapped_column(
        Double, comment="HeartRate (0018,1088) IS in beats per minute"
    )
    accession_key: Mapped[str | None] = mapped_column(
        PSEUDONYM, index=True, comment="pseudonym of AccessionNumber (0008,0050) SH"
    )
    source_digest: Mapped[str] = mapped_column(
        String(64), comment="digest of the files read: keys, sizes, times"
    )
    released: Mapped[bool] = mapped_column(Boolean)
    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SeriesRow(Base):
    """One series and what became of it."""

    __tablename__ = "series"

    study: Mapped[str] = mapped_column(ForeignKey("study.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(
        PSEUDONYM, primary_key=True, comment="pseudonym of SeriesInstanceUID (0020,000E) UI"
    )
    position: Mapped[int] = mapped_column(Integer, comment="0-based place in its study")
    view: Mapped[View] = mapped_column(Word(View))
    technique: Mapped[Technique] = mapped_column(Word(Technique))
    state: Mapped[State] = mapped_column(Word(State))
    reason: Mapped[str] = mapped_column(Text, comment="why not indexed; empty if it is")
    slices: Mapped[int] = mapped_column(Integer)
    phases: Mapped[int] = mapped_column(Integer)
    clips: Mapped[int] = mapped_column(Integer)
    spacing_mm: Mapped[tuple[float, ...] | None] = mapped_column(
        Floats, comment="PixelSpacing (0028,0030) DS: down, across"
    )
    slice_spacing_mm: Mapped[float | None] = mapped_column(
        Double, comment="along the normal, from ImagePositionPatient (0020,0032) DS"
    )


class ClipRow(Base):
    """One clip: everything but its pixels. Fields as `retrieval.values.clip.ClipRecord`."""

    __tablename__ = "clip"
    __table_args__ = (
        ForeignKeyConstraint(
            ["study", "series"], ["series.study", "series.id"], ondelete="CASCADE"
        ),
        Index("ix_clip_study_view_technique", "study", "view", "technique"),
        # Tells a clip's view and technique without reading its long row.
        Index("ix_clip_kind", "study", "id", "view", "technique"),
    )

    id: Mapped[str] = mapped_column(PSEUDONYM, primary_key=True, comment="digest of its content")
    study: Mapped[str] = mapped_column(PSEUDONYM)
    series: Mapped[str] = mapped_column(PSEUDONYM)
    view: Mapped[View] = mapped_column(Word(View))
    technique: Mapped[Technique] = mapped_column(Word(Technique))
    variant: Mapped[str] = mapped_column(Text)
    slice_index: Mapped[int] = mapped_column(Integer, comment="0-based; base first")
    slice_count: Mapped[int] = mapped_column(Integer)
    phases: Mapped[int] = mapped_column(Integer)
    rows: Mapped[int] = mapped_column(Integer, comment="Rows (0028,0010) US")
    columns: Mapped[int] = mapped_column(Integer, comment="Columns (0028,0011) US")
    spacing_mm: Mapped[tuple[float, ...]] = mapped_column(
        Floats, comment="PixelSpacing (0028,0030) DS: down, across"
    )
    slice_spacing_mm: Mapped[float | None] = mapped_column(Double)
    thickness_mm: Mapped[float | None] = mapped_column(
        Double, comment="SliceThickness (0018,0050) DS"
    )
    position_mm: Mapped[tuple[float, ...]] = mapped_column(
        Floats, comment="ImagePositionPatient (0020,0032) DS"
    )
    row_direction: Mapped[tuple[float, ...]] = mapped_column(
        Floats, comment="ImageOrientationPatient (0020,0037) DS, first half"
    )
    column_direction: Mapped[tuple[float, ...]] = mapped_column(
        Floats, comment="ImageOrientationPatient (0020,0037) DS, second half"
    )
    oriented: Mapped[bool] = mapped_column(Boolean)
    frame_times_ms: Mapped[tuple[float, ...]] = mapped_column(
        Floats, comment="TriggerTime (0018,1060) DS, one per phase"
    )
    rr_ms: Mapped[float | None] = mapped_column(Double, comment="NominalInterval (0018,1062) IS")
    tr_ms: Mapped[float | None] = mapped_column(Double, comment="RepetitionTime (0018,0080) DS")
    te_ms: Mapped[float | None] = mapped_column(Double, comment="EchoTime (0018,0081) DS")
    ti_ms: Mapped[float | None] = mapped_column(Double, comment="InversionTime (0018,0082) DS")
    flip_deg: Mapped[float | None] = mapped_column(Double, comment="FlipAngle (0018,1314) DS")
    slope: Mapped[float] = mapped_column(Double, comment="RescaleSlope (0028,1053) DS")
    intercept: Mapped[float] = mapped_column(Double, comment="RescaleIntercept (0028,1052) DS")
    unit: Mapped[str] = mapped_column(Text)
    monochrome1: Mapped[bool] = mapped_column(
        Boolean, comment="PhotometricInterpretation (0028,0004) CS is MONOCHROME1"
    )


class FileRow(Base):
    """One file of the archive and whether it was used."""

    __tablename__ = "file"

    key: Mapped[str] = mapped_column(PSEUDONYM, primary_key=True, comment="pseudonym of its path")
    study: Mapped[str | None] = mapped_column(
        ForeignKey("study.id", ondelete="CASCADE"), index=True
    )
    used: Mapped[bool] = mapped_column(Boolean)
    reason: Mapped[str] = mapped_column(Text, comment="why not used; empty if it is")
    size: Mapped[int] = mapped_column(BIG, comment="bytes")
    modified_ns: Mapped[int] = mapped_column(BIG)


class ReportRow(Base):
    """One report, whether its study is here or not."""

    __tablename__ = "report"
    __table_args__ = ({"sqlite_autoincrement": True},)

    arrival: Mapped[int] = mapped_column(BIG, primary_key=True, comment="order of arrival")
    digest: Mapped[str] = mapped_column(String(64), comment="SHA-256 of the text")
    study: Mapped[str | None] = mapped_column(
        PSEUDONYM, index=True, comment="pseudonym of the StudyInstanceUID it names"
    )
    accession_key: Mapped[str | None] = mapped_column(
        PSEUDONYM, index=True, comment="pseudonym of the AccessionNumber it names"
    )
    text: Mapped[str] = mapped_column(Text)
    impression: Mapped[str] = mapped_column(Text)
    reader: Mapped[str | None] = mapped_column(
        PSEUDONYM, comment="digest of what read findings and measurements; NULL: not known"
    )


class VersionRow(Base):
    """A report's place among the versions of one study's report.

    `chain` is the study's id; for reports that name only an accession number
    which no study here has, it is that number's pseudonym.
    """

    __tablename__ = "report_version"

    chain: Mapped[str] = mapped_column(PSEUDONYM, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, comment="1-based")
    report: Mapped[int] = mapped_column(
        ForeignKey("report.arrival", ondelete="CASCADE"), index=True
    )
    newest: Mapped[bool] = mapped_column(Boolean)


class FindingRow(Base):
    """One statement of a report."""

    __tablename__ = "finding"

    report: Mapped[int] = mapped_column(
        ForeignKey("report.arrival", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(Integer, primary_key=True, comment="0-based")
    name: Mapped[FindingName] = mapped_column(Word(FindingName))
    polarity: Mapped[Polarity] = mapped_column(Word(Polarity))
    start_at: Mapped[int] = mapped_column(Integer, comment="first character of its sentence")
    end_at: Mapped[int] = mapped_column(Integer, comment="one past the last")


class MeasurementRow(Base):
    """One number, range or bound that a report states. No check on `quantity`: a table grows."""

    __tablename__ = "measurement"

    report: Mapped[int] = mapped_column(
        ForeignKey("report.arrival", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(Integer, primary_key=True, comment="0-based")
    quantity: Mapped[str] = mapped_column(String(40))
    low: Mapped[float | None] = mapped_column(Double, comment="least value; NULL: not bounded")
    high: Mapped[float | None] = mapped_column(Double, comment="greatest value; NULL: not bounded")
    holds_low: Mapped[bool] = mapped_column(Boolean, comment="false for '> low'")
    holds_high: Mapped[bool] = mapped_column(Boolean, comment="false for '< high'")
    unit: Mapped[str] = mapped_column(Text)
    start_at: Mapped[int] = mapped_column(Integer, comment="first character of its sentence")
    end_at: Mapped[int] = mapped_column(Integer, comment="one past the last")


class EmbeddingRow(Base):
    """One vector and what it was computed from. `key` is what indexes know it by."""

    __tablename__ = "embedding"
    __table_args__ = (
        Index(
            "uq_embedding_clip",
            *("study", "clip", "input_digest", "encoder_id"),
            unique=True,
        ),
        # NULLs differ from each other in a unique index, so studies need their own.
        Index(
            "uq_embedding_study",
            *("study", "input_digest", "encoder_id"),
            unique=True,
            sqlite_where=text("clip IS NULL"),
            postgresql_where=text("clip IS NULL"),
        ),
        # Holds all that a mask needs, so that making one reads no vectors.
        Index("ix_embedding_mask", "encoder_id", "key", "study", "clip"),
        # The same by study: beside its clips, and only what has changed.
        Index("ix_embedding_owner", "encoder_id", "study", "clip", "key"),
    )

    key: Mapped[int] = mapped_column(
        BIG, primary_key=True, autoincrement=False, comment="63 bits of SHA-256 of the rest"
    )
    study: Mapped[str] = mapped_column(ForeignKey("study.id", ondelete="CASCADE"))
    clip: Mapped[str | None] = mapped_column(
        ForeignKey("clip.id", ondelete="CASCADE"), index=True, comment="NULL: the study as a whole"
    )
    input_digest: Mapped[str] = mapped_column(PSEUDONYM)
    encoder_id: Mapped[str] = mapped_column(Text)
    vector: Mapped[bytes] = mapped_column(LargeBinary, comment="float32, little-endian")


class EmbeddedRow(Base):
    """A study whose clips, as they are now, an encoder has been through.

    Gone as soon as the study's set of clips changes. An encoder may leave
    clips out, so its vectors alone cannot say that it is done.
    """

    __tablename__ = "embedded"

    study: Mapped[str] = mapped_column(ForeignKey("study.id", ondelete="CASCADE"), primary_key=True)
    encoder_id: Mapped[str] = mapped_column(Text, primary_key=True)


class EstimateRow(Base):
    """What an encoder estimated of a study, for research. No filter reads this table.

    Gone as soon as the study's set of clips changes, so a study has a quantity
    at most once for each encoder.
    """

    __tablename__ = "machine_estimate"

    encoder_id: Mapped[str] = mapped_column(Text, primary_key=True)
    study: Mapped[str] = mapped_column(
        ForeignKey("study.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    quantity: Mapped[Quantity] = mapped_column(Word(Quantity), primary_key=True)
    input_digest: Mapped[str] = mapped_column(PSEUDONYM)
    value: Mapped[float] = mapped_column(Double, comment="in the encoder's own, biased scale")
    spread: Mapped[float] = mapped_column(Double, comment="one standard deviation of the value")


class MachineFindingRow(Base):
    """Where a study stood when a machine was asked, for research. No filter reads this table.

    Gone as soon as the study's set of clips changes.
    """

    __tablename__ = "machine_finding"

    encoder_id: Mapped[str] = mapped_column(Text, primary_key=True)
    study: Mapped[str] = mapped_column(
        ForeignKey("study.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    name: Mapped[str] = mapped_column(Text, primary_key=True, comment="what it was written under")
    question: Mapped[str] = mapped_column(Text, primary_key=True)
    method: Mapped[Method] = mapped_column(Word(Method))
    asked: Mapped[list[str]] = mapped_column(JSON, comment="phrasings, or example studies")
    score: Mapped[float] = mapped_column(Double, comment="in the method's own scale")
    percentile: Mapped[float] = mapped_column(
        Double, comment="among the studies compared, 0 to 100"
    )
    low: Mapped[float | None] = mapped_column(Double, comment="percentile; NULL: spread not known")
    high: Mapped[float | None] = mapped_column(Double, comment="percentile; NULL: spread not known")
    studies: Mapped[int] = mapped_column(Integer, comment="how many were compared")
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    made_by: Mapped[str] = mapped_column(Text, comment="program and version")


class CatalogRevisionRow(Base):
    """Raised by triggers with every change of a study, clip or embedding: one row."""

    __tablename__ = "catalog_revision"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BIG, comment="raised by every change")


class CatalogHistoryRow(Base):
    """The latest revisions: one that a reader knows and that is not here is another history's.

    A restored backup is such a history. Each revision lies a random step above
    the one before, so that no two histories give the same number.
    """

    __tablename__ = "catalog_history"

    number: Mapped[int] = mapped_column(
        BIG,
        primary_key=True,
        autoincrement=False,
        comment="the latest revisions, no two histories the same",
    )


class StudyRevisionRow(Base):
    """The revision in which a study, its clips or its embeddings last changed.

    Kept by triggers, for studies that are gone too: that is how a reader learns
    that they are.
    """

    __tablename__ = "study_revision"

    study: Mapped[str] = mapped_column(PSEUDONYM, primary_key=True, comment="here or gone")
    number: Mapped[int] = mapped_column(BIG, index=True, comment="of its last change")
