"""Ways of writing a study, after the habits of different vendors' scanners.

None of them names a vendor: what differs is what an indexer must cope with,
such as how stacks are split into series, how phases are timed and numbered,
how things are called and how values are scaled.
"""

from dataclasses import dataclass, field

from retrieval.values.study import Technique, View

Names = dict[tuple[Technique, View], str]
Tags = dict[str, str | list[str] | float | int]


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
    running_trigger
        TriggerTime of a first pass counts on from its first beat.
    shuffled
        InstanceNumber follows neither place nor phase.
    bits_stored, peak
        Depth of the stored values and where the brightest blood lies.
    slope, intercept
        Rescale, or None where the scanner writes none.
    map_slopes, map_unit
        Milliseconds per stored value of maps, or None where values are
        milliseconds as they stand and no header says so; and the RescaleType.
    map_kind
        Values of ImageType by which a map is known; empty where only its unit tells.
    compressed
        Run-length coded files.
    phase_sensitive
        LGE comes as pairs of magnitude and phase-sensitive images.
    extension
        Of file names; may be empty.
    tags
        Attributes of the images of each technique, by keyword.
    names
        SeriesDescription by technique and view.
    passes
        What "stress" and "rest" add to it.
    """

    model: str
    software: str
    field_strengths_t: tuple[float, ...]
    enhanced: bool = False
    series_per_slice: bool = False
    first_trigger_ms: float = 0.0
    covered: float = 1.0
    running_trigger: bool = False
    shuffled: bool = False
    bits_stored: int = 12
    peak: int = 1100
    slope: float | None = None
    intercept: float | None = None
    map_slopes: dict[Technique, float] = field(default_factory=dict)
    map_unit: str = "US"
    map_kind: dict[Technique, tuple[str, str]] = field(default_factory=dict)
    compressed: bool = False
    phase_sensitive: bool = False
    extension: str = ".dcm"
    tags: dict[Technique, Tags]
    names: Names
    passes: dict[str, str]


def _names(pattern: dict[Technique, str], views: dict[View, str]) -> Names:
    return {(t, v): p.format(view=name) for t, p in pattern.items() for v, name in views.items()}


def _tags(
    scanning: str | list[str], variant: str | list[str], options: str | list[str], name: str = ""
) -> Tags:
    tags: Tags = {
        "ScanningSequence": scanning,
        "SequenceVariant": variant,
        "ScanOptions": options,
    }
    return tags | {"SequenceName": name} if name else tags


_SAX, _2CH, _3CH, _4CH = (
    View.SHORT_AXIS,
    View.TWO_CHAMBER,
    View.THREE_CHAMBER,
    View.FOUR_CHAMBER,
)
_CINE, _LGE, _PERFUSION, _T2W, _T1, _T2 = (
    Technique.CINE,
    Technique.LGE,
    Technique.PERFUSION,
    Technique.T2_WEIGHTED,
    Technique.T1_MAP,
    Technique.T2_MAP,
)

SCANNERS = (
    Scanner(
        model="SIM-A 1500",
        software="A1.0",
        field_strengths_t=(1.5,),
        series_per_slice=True,
        phase_sensitive=True,
        map_kind={_T1: ("T1 MAP", "NORM"), _T2: ("T2 MAP", "NORM")},
        tags={
            _CINE: _tags("GR", ["SK", "SS"], "RG", "*simtf2d1_14"),
            _LGE: _tags(["GR", "IR"], ["SK", "SP", "MP"], ["IR", "CT"], "*simfl2d1_25"),
            _PERFUSION: _tags("GR", ["SK", "SP"], "CT", "*simpf2d1_77"),
            _T2W: _tags(["SE", "IR"], ["SK", "SP"], "CT", "*simtir2d1_21"),
            _T1: _tags(["GR", "IR"], ["SK", "SS"], "CT", "*simtm2d1_60"),
            _T2: _tags("GR", ["SK", "SS"], "CT", "*simtp2d1_60"),
        },
        names=_names(
            {
                _CINE: "cine_tf2d_{view}",
                _LGE: "de_tfi_psir_{view}",
                _PERFUSION: "perf_tfl_{view}",
                _T2W: "t2_stir_{view}",
                _T1: "T1map_MOLLI_{view}",
                _T2: "T2map_flash_{view}",
            },
            {_SAX: "sa", _2CH: "2ch", _3CH: "3ch", _4CH: "4ch"},
        ),
        passes={"stress": "_stress", "rest": "_rest"},
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
        map_slopes={_T1: 0.7326, _T2: 0.0733},
        map_unit="ms",
        map_kind={_T1: ("T1_MAP", "T1"), _T2: ("T2_MAP", "T2")},
        extension="",
        tags={
            _CINE: {"PulseSequenceName": "BTFE", "SteadyStatePulseSequence": "FREE_PRECESSION"},
            _LGE: {"PulseSequenceName": "IR_TFE"},
            _PERFUSION: {"PulseSequenceName": "TFE"},
            _T2W: {"PulseSequenceName": "SE", "EchoPulseSequence": "SPIN"},
            _T1: {"PulseSequenceName": "BTFE"},
            _T2: {"PulseSequenceName": "BTFE"},
        },
        names=_names(
            {
                _CINE: "BTFE_BH {view}",
                _LGE: "{view} late enh",
                _PERFUSION: "sTFE dynamic {view}",
                _T2W: "STIR BB {view}",
                _T1: "MOLLI {view} native",
                _T2: "GraSE T2 map {view}",
            },
            {_SAX: "SA", _2CH: "VLA", _3CH: "LVOT 3CH", _4CH: "HLA"},
        ),
        passes={"stress": " STRESS", "rest": " REST"},
    ),
    Scanner(
        model="SIM-C 750",
        software="C27.1",
        field_strengths_t=(1.5, 3.0),
        first_trigger_ms=8.0,
        running_trigger=True,
        shuffled=True,
        bits_stored=16,
        peak=2100,
        map_kind={_T1: ("T1_MAP", "ND"), _T2: ("T2_MAP", "ND")},
        compressed=True,
        tags={
            _CINE: _tags("GR", ["SS", "SK"], ["RG", "FC"]),
            _LGE: _tags(["GR", "IR"], ["SK", "MP"], ["CG", "IR"]),
            _PERFUSION: _tags("GR", "SP", ["CG", "FAST_GEMS"]),
            _T2W: _tags(["SE", "IR"], "SK", ["CG", "FC"]),
            _T1: _tags(["GR", "IR"], "SS", "CG"),
            _T2: _tags("GR", "SS", "CG"),
        },
        names=_names(
            {
                _CINE: "{view} SSFP cine",
                _LGE: "MDE {view}",
                _PERFUSION: "FGRE first pass {view}",
                _T2W: "T2 STIR {view}",
                _T1: "MOLLI T1 map {view}",
                _T2: "T2 map {view}",
            },
            {_SAX: "SAX", _2CH: "2 CH", _3CH: "3 CH", _4CH: "4 CH"},
        ),
        passes={"stress": " adeno", "rest": " rest"},
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
        map_slopes={_T1: 1.0, _T2: 0.1},
        map_unit="ms",
        map_kind={_T1: ("T1 MAP", "NORM"), _T2: ("T2 MAP", "NORM")},
        extension=".ima",
        tags={
            _CINE: _tags("GR", "SS", "CT", "bSSFP"),
            _LGE: _tags(["GR", "IR"], "SP", "CT", "irgre"),
            _PERFUSION: _tags("GR", "SP", "CT", "srgre"),
            _T2W: _tags("SE", "SK", "CT", "fse"),
            _T1: _tags(["GR", "IR"], "SS", "CT", "irssfp"),
            _T2: _tags("GR", "SS", "CT", "t2ssfp"),
        },
        names=_names(
            {
                _CINE: "Cine {view}",
                _LGE: "Late Gad {view}",
                _PERFUSION: "Perfusion {view}",
                _T2W: "T2w {view}",
                _T1: "T1 mapping {view}",
                _T2: "T2 mapping {view}",
            },
            {
                _SAX: "short axis",
                _2CH: "two chamber",
                _3CH: "three chamber",
                _4CH: "four chamber",
            },
        ),
        passes={"stress": " stress", "rest": " rest"},
    ),
)
