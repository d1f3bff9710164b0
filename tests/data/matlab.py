"""MATLAB files of version 5, written by hand from the description of the format."""

import struct
import zlib

import numpy as np

KINDS = {"int8": 1, "uint8": 2, "int16": 3, "uint16": 4, "int32": 5, "uint32": 6, "float64": 9}


def element(kind, content):
    """Type, size, content, filled up to 8 bytes; of up to 4 bytes the short form."""
    if len(content) <= 4:
        return struct.pack("<HH", kind, len(content)) + content.ljust(4, b"\0")
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def matrix(name, array):
    parts = (
        element(6, struct.pack("<II", 9, 0)),
        element(5, np.array(array.shape, "<i4").tobytes()),
        element(1, name.encode()),
        element(KINDS[str(array.dtype)], array.tobytes(order="F")),
    )
    content = b"".join(parts)
    return struct.pack("<II", 14, len(content)) + content


def compressed(content):
    packed = zlib.compress(content)
    return struct.pack("<II", 15, len(packed)) + packed


def mat_file(arrays, pack=compressed):
    """The bytes of a file that holds these arrays."""
    header = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
    return header + b"".join(pack(matrix(name, array)) for name, array in arrays.items())
