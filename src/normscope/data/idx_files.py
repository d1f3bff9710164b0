"""MNIST's own format: gzipped files of bytes with their shape at the beginning."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
import torch

from normscope.data.dataset import Split
from normscope.errors import UsageError

BYTES = 8  # the format's number for unsigned bytes


def read_split(images: Path, labels: Path) -> Split:
    """The images (N, 1, H, W) and labels of two files.

    Raises:
        UsageError: naming the file that is damaged, or that does not belong to the other.
    """
    pixels, numbers = _array(images, 3), _array(labels, 1)
    if len(pixels) != len(numbers):
        raise UsageError(f"{images} holds {len(pixels):,} images and {labels} {len(numbers):,} labels; get both anew")
    return Split(torch.from_numpy(pixels)[:, None], torch.from_numpy(numbers).long())


def _array(path: Path, dimensions: int) -> np.ndarray:
    """The bytes of a file in their shape: it begins with 0, 0, type, number of dimensions, and each size in 4 bytes."""
    try:
        with gzip.open(path) as file:
            content = file.read()
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{path} cannot be read: {reason}; delete it to have it downloaded again") from error
    start = 4 + 4 * dimensions
    if content[:4] != bytes((0, 0, BYTES, dimensions)) or len(content) < start:
        raise UsageError(f"{path} cannot be read: it holds no bytes in {dimensions} dimensions; delete it")
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    if len(content) - start != math.prod(shape):
        raise UsageError(f"{path} cannot be read: {len(content) - start:,} bytes are not {shape}; delete it")
    return np.frombuffer(bytearray(content), np.uint8, offset=start).reshape(shape)
