"""Published figures that stand beside ours, each with the conditions it was obtained under.

From the result files of the CMR-CLIP repository (July 2025; Nakashima et al.,
Nature Communications 2026, doi:10.1038/s41467-026-73022-2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Areas under the curve by label or by number of shots, and what they were measured on."""

    conditions: str
    auc: Mapping[str, float]


ACDC_SUPERVISED = Published(
    conditions=(
        "supervised: a three-layer network trained on labelled ACDC patients, one per group "
        "against the rest, on frozen CMR-CLIP vectors; 40 test patients "
        "(11 DCM, 10 HCM, 6 MINF, 7 NOR, 6 RV); no interval given"
    ),
    auc=MappingProxyType({"DCM": 0.925, "HCM": 0.993, "MINF": 0.990, "NOR": 0.991, "RV": 0.990}),
)

FEW_SHOT_FINDINGS = Published(
    conditions=(
        "mean over seven findings of reports, internal test set of 402 exams of the hospital "
        "that CMR-CLIP was trained at; other questions on other patients than ours, same protocol"
    ),
    auc=MappingProxyType(
        {"1": 0.615, "2": 0.659, "4": 0.708, "8": 0.736, "16": 0.769, "32": 0.783}
    ),
)
