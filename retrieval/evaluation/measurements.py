"""What experts measured of labelled studies, and the quantities that are made of it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import UsageError
from retrieval.evaluation.records import Record, read_table

Floats = NDArray[np.float64]
Row = Mapping[str, float]

FILE = "measurements.csv"
"""Name of the table in a folder of labels."""

NAME = "pid"
"""Column that names the study, as the labels do."""


def _bsa_m2(row: Row) -> float:
    """Body surface area by Mosteller (N Engl J Med 1987;317:1098), from cm and kg."""
    return float(np.sqrt(row["height"] * row["weight"] / 3600))


QUANTITIES: Mapping[str, Callable[[Row], float]] = MappingProxyType(
    {
        "LVEDV": lambda row: row["LVEDV"],
        "LVEDV/BSA": lambda row: row["LVEDV"] / _bsa_m2(row),
        "LVESV": lambda row: row["LVESV"],
        "LVEF": lambda row: row["LVEF"],
        "LVmass": lambda row: row["LVmass_g"],
        "LVmass/LVEDV": lambda row: row["LVmass_g"] / row["LVEDV"],
        "RVEDV": lambda row: row["RVEDV"],
        "RVEDV/BSA": lambda row: row["RVEDV"] / _bsa_m2(row),
        "RVEDV/LVEDV": lambda row: row["RVEDV"] / row["LVEDV"],
        "RVEF": lambda row: row["RVEF"],
    }
)
"""Quantities that a size can be compared with: mL, mL/m2, per cent, g, g/mL."""

COLUMNS = ("height", "weight", "LVEDV", "LVESV", "LVEF", "RVEDV", "RVEF", "LVmass_g")
"""cm, kg, mL, mL, per cent, mL, per cent, g."""


def read_measurements(path: Path) -> dict[str, dict[str, float]]:
    """Read the quantities of each named study.

    Raises
    ------
    UsageError
        A column is missing, or holds what is no positive number.
    """
    found: dict[str, dict[str, float]] = {}
    for where, record in read_table(path):
        row = {column: _number(record, column, where) for column in COLUMNS}
        found[_text(record, NAME, where)] = {q: make(row) for q, make in QUANTITIES.items()}
    return found


def signed(measured: Mapping[str, Floats], quantity: str) -> Floats:
    """(N,) the values of a quantity; "-LVEF" gives the negated ones."""
    values = measured[quantity.removeprefix("-")]
    return -values if quantity.startswith("-") else values


def _number(record: Record, column: str, where: str) -> float:
    text = _text(record, column, where)
    try:
        value = float(text)
    except ValueError as error:
        raise UsageError(f"{where}: {column} is {text}; a number is needed") from error
    if not value > 0 or not np.isfinite(value):
        raise UsageError(f"{where}: {column} is {text}; a number above 0 is needed")
    return value


def _text(record: Record, column: str, where: str) -> str:
    value: Any = record.get(column)
    if value is None or not str(value).strip():
        raise UsageError(f"{where}: no {column}; columns {NAME}, {', '.join(COLUMNS)} are needed")
    return str(value).strip()
