"""CIFAR's own format: pickled batches in a folder or in a tar archive, read without running any pickled code."""

import math
import pickle
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch

from normscope.data.dataset import Split
from normscope.errors import UsageError

SHAPE = (3, 32, 32)


@dataclass(frozen=True)
class Layout:
    """What an archive holds.

    Attributes:
        title: of the data set, for people.
        folder: that all files lie in.
        train, test: the files of each split in their order.
        labels: the key of the labels in each file.
        classes: K; labels are 0 to K - 1.
    """

    title: str
    folder: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    labels: bytes
    classes: int


def read_batches(folder: Path, layout: Layout) -> tuple[Split, Split]:
    """The training and the test split of an unpacked archive.

    Raises:
        UsageError: naming the file that is missing or damaged.
    """

    def opened(name: str) -> IO[bytes]:
        try:
            return (folder / name).open("rb")
        except OSError as error:
            raise _damaged(layout, f"{folder / name}", error) from error

    names = (*layout.train, *layout.test)
    return _splits(layout, ((f"{folder / name}", opened(name)) for name in names))


def read_archive(path: Path, layout: Layout) -> tuple[Split, Split]:
    """The same out of the tar.gz; nothing is unpacked on the disk.

    Raises:
        UsageError: naming the archive and what is damaged in it.
    """
    try:
        with tarfile.open(path, "r:gz") as archive:

            def opened(name: str) -> IO[bytes]:
                file = archive.extractfile(f"{layout.folder}/{name}")
                if file is None:
                    raise KeyError(f"{layout.folder}/{name} is no file")
                return file

            names = (*layout.train, *layout.test)
            return _splits(layout, ((f"{name} in {path}", opened(name)) for name in names))
    except (OSError, EOFError, KeyError, tarfile.TarError) as error:
        raise _damaged(layout, str(path), error) from error


def _splits(layout: Layout, batches: Iterator[tuple[str, IO[bytes]]]) -> tuple[Split, Split]:
    """Training and test split from the named batch files in their order."""
    images, labels = [], []
    for name, file in batches:
        with file:
            try:
                pixels, classes = _batch(file, layout)
            except Exception as error:  # a damaged pickle raises nearly anything
                raise _damaged(layout, name, error) from error
        images.append(torch.from_numpy(pixels))
        labels.append(torch.tensor(classes))
    end = len(layout.train)
    return (
        Split(torch.cat(images[:end]), torch.cat(labels[:end])),
        Split(torch.cat(images[end:]), torch.cat(labels[end:])),
    )


def _damaged(layout: Layout, name: str, error: Exception) -> UsageError:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return UsageError(
        f"{name} cannot be read: {reason}; take a fresh copy of {layout.title}, or remove this one to have it "
        "downloaded"
    )


def _batch(file: IO[bytes], layout: Layout) -> tuple[np.ndarray, list[int]]:
    """Pixels (n, 3, 32, 32) uint8 and labels of one batch file."""
    batch = _Reader(file, encoding="bytes").load()
    found = (batch.get(b"data"), batch.get(layout.labels)) if isinstance(batch, dict) else None
    match found:
        case (_Array(state=(_, shape, _Kind(name=b"u1"), fortran, content)), [*labels]):
            pass
        case _:
            raise ValueError("it holds no bytes of images with a list of labels")
    if shape != (len(labels), math.prod(SHAPE)) or not all(label in range(layout.classes) for label in labels):
        raise ValueError(
            f"{len(labels)} labels of 0 to {layout.classes - 1} should stand beside as many images of 3x32x32, not "
            f"{shape}"
        )
    pixels = np.frombuffer(bytearray(content), dtype=np.uint8).reshape(shape, order="F" if fortran else "C")
    return pixels.reshape(-1, *SHAPE), labels


class _Reader(pickle.Unpickler):
    """Reads numbers, strings, lists and dicts, and of NumPy's arrays only what they were pickled from."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in {("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct")}:
            return _Array
        if (module, name) in {("numpy", "ndarray"), ("numpy", "dtype")}:
            return _Kind
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is no part of images and was not run")


class _Array:
    """Stands for an array: (version, shape, type, whether in Fortran's order, bytes)."""

    def __init__(self, *_: Any) -> None:
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state


class _Kind:
    """Stands for a type of numbers, by its name."""

    def __init__(self, name: bytes = b"", *_: Any) -> None:
        self.name = name

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """Byte order and the like: one byte has none."""
