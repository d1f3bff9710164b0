"""MATLAB's own format (version 5, of 1996), as far as arrays of numbers go: what SVHN is published in."""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from normscope.errors import UsageError

HEADER = 128  # bytes before the first element; the last two tell the byte order
TYPES = {1: "i1", 2: "u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 7: "<f4", 9: "<f8", 12: "<i8", 13: "<u8"}
MATRIX, COMPRESSED = 14, 15
Element = tuple[int, memoryview]  # number of the type, content


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file by their names, in MATLAB's shapes and order (the first index runs fastest).

    MathWorks, "MAT-File Format", chapter 1: a header, then elements of a type, a size and a content; a matrix is an
    element whose content is elements again: flags, dimensions, name, numbers.

    Raises:
        UsageError: naming the file, if it is damaged or of another version.
    """
    try:
        content = path.read_bytes()
        if content[HEADER - 4 : HEADER] != b"\x00\x01IM":
            raise ValueError("it is no MATLAB file of version 5")
        return dict(_matrix(element) for element in _elements(memoryview(content)[HEADER:]))
    except (OSError, ValueError, KeyError, zlib.error, struct.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{path} cannot be read: {reason}; delete it to have it downloaded again") from error


def _elements(content: memoryview) -> Iterator[Element]:
    """The elements that stand one after the other; compressed ones are taken out of their wrapping."""
    while content:
        kind, size = struct.unpack("<II", content[:8])
        if kind >> 16:  # a small element: type and size share four bytes, the content is the other four
            kind, size, start, after = kind & 0xFFFF, kind >> 16, 4, 8
        else:
            start = 8
            after = 8 + size if kind == COMPRESSED else 8 + -(-size // 8) * 8
        if start + size > len(content):
            raise ValueError("it ends too early")
        if kind == COMPRESSED:
            yield from _elements(memoryview(zlib.decompress(content[start : start + size])))
        else:
            yield kind, content[start : start + size]
        content = content[after:]


def _matrix(element: Element) -> tuple[str, np.ndarray]:
    """Name and numbers."""
    kind, content = element
    if kind != MATRIX:
        raise ValueError(f"it holds an element of type {kind}, not a matrix")
    _, (_, sizes), (_, name), (numbers, values) = _elements(content)
    shape = np.frombuffer(sizes, TYPES[5])
    return bytes(name).decode(), np.frombuffer(values, TYPES[numbers]).reshape(shape, order="F")
