"""Pickles as CIFAR-10's author wrote them: with Python 2 and an old NumPy."""

import io
import pickle
import struct
import types
from typing import Any, ClassVar


class Python2Pickler(pickle._Pickler):
    """Every string is a byte string, and NumPy's functions have the names of their day."""

    dispatch: ClassVar[dict[type, Any]] = dict(pickle._Pickler.dispatch)

    def save_bytes(self, value):
        short = len(value) < 256
        self.write(b"U" + bytes((len(value),)) + value if short else b"T" + struct.pack("<i", len(value)) + value)
        self.memoize(value)

    def save_str(self, value):
        self.save_bytes(value.encode())

    def save_global(self, value, name=None):
        module = value.__module__.replace("numpy._core", "numpy.core")
        self.write(f"c{module}\n{name or value.__qualname__}\n".encode())
        self.memoize(value)

    dispatch[bytes] = save_bytes
    dispatch[str] = save_str
    dispatch[type] = dispatch[types.FunctionType] = dispatch[types.BuiltinFunctionType] = save_global


def pickled(batch):
    """The bytes of one batch file."""
    file = io.BytesIO()
    Python2Pickler(file, 2).dump(batch)
    return file.getvalue()
