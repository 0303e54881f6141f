"""Ways of writing a study, after the habits of different vendors' scanners.

None of them names a vendor: what differs is what an indexer must cope with,
such as how stacks are split into series, how phases are timed and numbered,
how things are called and how values are scaled.
"""

from dataclasses import dataclass

from retrieval.values.study import Technique, View

Names = dict[tuple[Technique, View], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanner:
    """The habits of one make of scanner.

    Attributes
    ----------
    field_strengths_t
        One of these.
    enhanced
        Stacks become one Enhanced MR instance instead of one file per image.
    series_per_slice
        A cine stack is split into one series per slice.
    first_trigger_ms
        Delay of the first phase after the R wave.
    covered
        Share of the beat that is imaged: less than 1 where acquisition is
        triggered prospectively.
    shuffled
        InstanceNumber follows neither place nor phase.
    bits_stored, peak
        Depth of the stored values and where the brightest blood lies.
    slope, intercept
        Rescale, or None where the scanner writes none.
    compressed
        Run-length coded files.
    phase_sensitive
        LGE comes as pairs of magnitude and phase-sensitive images.
    extension
        Of file names; may be empty.
    cine, late
        Attributes of cine and of LGE images, by keyword.
    names
        SeriesDescription by technique and view.
    """

    model: str
    software: str
    field_strengths_t: tuple[float, ...]
    enhanced: bool = False
    series_per_slice: bool = False
    first_trigger_ms: float = 0.0
    covered: float = 1.0
    shuffled: bool = False
    bits_stored: int = 12
    peak: int = 1100
    slope: float | None = None
    intercept: float | None = None
    compressed: bool = False
    phase_sensitive: bool = False
    extension: str = ".dcm"
    cine: dict[str, str | list[str] | float | int]
    late: dict[str, str | list[str] | float | int]
    names: Names


def _names(pattern: dict[Technique, str], views: dict[View, str]) -> Names:
    return {(t, v): p.format(view=name) for t, p in pattern.items() for v, name in views.items()}


_SAX, _2CH, _3CH, _4CH = (
    View.SHORT_AXIS,
    View.TWO_CHAMBER,
    View.THREE_CHAMBER,
    View.FOUR_CHAMBER,
)

SCANNERS = (
    Scanner(
        model="SIM-A 1500",
        software="A1.0",
        field_strengths_t=(1.5,),
        series_per_slice=True,
        first_trigger_ms=0.0,
        phase_sensitive=True,
        slope=None,
        cine={
            "ScanningSequence": "GR",
            "SequenceVariant": ["SK", "SS"],
            "ScanOptions": "RG",
            "SequenceName": "*simtf2d1_14",
        },
        late={
            "ScanningSequence": ["GR", "IR"],
            "SequenceVariant": ["SK", "SP", "MP"],
            "ScanOptions": ["IR", "CT"],
            "SequenceName": "*simfl2d1_25",
        },
        names=_names(
            {Technique.CINE: "cine_tf2d_{view}", Technique.LGE: "de_tfi_psir_{view}"},
            {_SAX: "sa", _2CH: "2ch", _3CH: "3ch", _4CH: "4ch"},
        ),
    ),
    Scanner(
        model="SIM-B 3000",
        software="B5.2",
        field_strengths_t=(1.5, 3.0),
        enhanced=True,
        first_trigger_ms=12.0,
        slope=2.4420,
        intercept=0.0,
        peak=1500,
        extension="",
        cine={"PulseSequenceName": "BTFE", "SteadyStatePulseSequence": "FREE_PRECESSION"},
        late={"PulseSequenceName": "IR_TFE"},
        names=_names(
            {Technique.CINE: "BTFE_BH {view}", Technique.LGE: "{view} late enh"},
            {_SAX: "SA", _2CH: "VLA", _3CH: "LVOT 3CH", _4CH: "HLA"},
        ),
    ),
    Scanner(
        model="SIM-C 750",
        software="C27.1",
        field_strengths_t=(1.5, 3.0),
        first_trigger_ms=8.0,
        shuffled=True,
        bits_stored=16,
        peak=2100,
        compressed=True,
        cine={
            "ScanningSequence": "GR",
            "SequenceVariant": ["SS", "SK"],
            "ScanOptions": ["RG", "FC"],
        },
        late={
            "ScanningSequence": ["GR", "IR"],
            "SequenceVariant": ["SK", "MP"],
            "ScanOptions": ["CG", "IR"],
        },
        names=_names(
            {Technique.CINE: "{view} SSFP cine", Technique.LGE: "MDE {view}"},
            {_SAX: "SAX", _2CH: "2 CH", _3CH: "3 CH", _4CH: "4 CH"},
        ),
    ),
    Scanner(
        model="SIM-D 1.5T",
        software="D3.0",
        field_strengths_t=(1.5,),
        first_trigger_ms=20.0,
        covered=0.9,
        peak=700,
        slope=1.0,
        intercept=0.0,
        extension=".ima",
        cine={
            "ScanningSequence": "GR",
            "SequenceVariant": "SS",
            "ScanOptions": "CT",
            "SequenceName": "bSSFP",
        },
        late={
            "ScanningSequence": ["GR", "IR"],
            "SequenceVariant": "SP",
            "ScanOptions": "CT",
            "SequenceName": "irgre",
        },
        names=_names(
            {Technique.CINE: "Cine {view}", Technique.LGE: "Late Gad {view}"},
            {
                _SAX: "short axis",
                _2CH: "two chamber",
                _3CH: "three chamber",
                _4CH: "four chamber",
            },
        ),
    ),
)
