"""A JPEG lossless encoder (ITU-T T.81, process 14, selection value 1), as no library has one."""

import struct

import numpy as np

_CATEGORIES = range(17)


def encode(image: np.ndarray) -> bytes:
    """Encode a (rows, columns) array of 16-bit unsigned integers."""
    rows, columns = image.shape
    frame = struct.pack(">BHHBBBB", 16, rows, columns, 1, 1, 0x11, 0)
    table = bytes([0, *(17 if length == 5 else 0 for length in range(1, 17)), *_CATEGORIES])
    scan = bytes([1, 1, 0x00, 1, 0, 0])
    head = b"".join(_segment(m, body) for m, body in ((0xC3, frame), (0xC4, table), (0xDA, scan)))
    return b"\xff\xd8" + head + _entropy(image) + b"\xff\xd9"


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _entropy(image: np.ndarray) -> bytes:
    bits = "".join(map(_code, _differences(image.astype(np.int64)).ravel().tolist()))
    bits += "1" * (-len(bits) % 8)
    coded = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return coded.replace(b"\xff", b"\xff\x00")


def _differences(image: np.ndarray) -> np.ndarray:
    predicted = np.empty_like(image)
    predicted[:, 1:] = image[:, :-1]
    predicted[1:, 0] = image[:-1, 0]
    predicted[0, 0] = 1 << 15
    return (image - predicted + (1 << 15)) % (1 << 16) - (1 << 15)


def _code(difference: int) -> str:
    if difference == -(1 << 15):  # T.81 H.1.2.2: category 16 has no further bits
        return f"{16:05b}"
    category = abs(difference).bit_length()
    extra = difference if difference > 0 else difference + (1 << category) - 1
    return f"{category:05b}" + (f"{extra:0{category}b}" if category else "")
