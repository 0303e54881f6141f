"""Writing a .npy file row by row, without knowing how many rows will come."""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray


class NpyWriter:
    """Appends rows to a version 1.0 .npy file and completes its header on leaving.

    NumPy pads a header so that the first axis can grow in place (see
    GROWTH_AXIS_MAX_DIGITS in numpy.lib.format). The file is durable once the
    `with` block ends.

    Parameters
    ----------
    path
        Replaced if it exists.
    dtype
        Of the elements; stored little-endian.
    row
        Shape of one row: () for a one-dimensional array.

    Attributes
    ----------
    count
        Rows so far.
    """

    def __init__(self, path: Path, dtype: DTypeLike, row: tuple[int, ...]) -> None:
        self._file = path.open("wb")
        self._dtype = np.dtype(dtype).newbyteorder("<")
        self._row = row
        self.count = 0
        self._start = self._write_header()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._file:
            if kind is None:
                self._file.seek(0)
                if self._write_header() != self._start:
                    raise ValueError("the .npy header outgrew its place")
                self._file.flush()
                os.fsync(self._file.fileno())

    def append(self, rows: NDArray[np.generic]) -> bytes:
        """Add rows of the right shape and return the bytes that went into the file."""
        if rows.shape[1:] != self._row:
            raise ValueError(f"rows have shape {rows.shape[1:]}; the file holds {self._row}")
        data = np.ascontiguousarray(rows, dtype=self._dtype).tobytes()
        self._file.write(data)
        self.count += len(rows)
        return data

    def _write_header(self) -> int:
        shape = (self.count, *self._row)
        header = {"descr": self._dtype.str, "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(self._file, header)
        return self._file.tell()
