"""Decoded images, kept beside their files, so that they are decoded once."""

import hashlib
import os
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock

from normscope.data.dataset import Split
from normscope.data.images import ImageFile, splits_of

FOLDER = ".normscope-cache"
FORMAT = 1  # of the files below; another number, and old ones are not looked at


def cached_splits(root: Path, train: Sequence[ImageFile], test: Sequence[ImageFile]) -> tuple[Split, Split]:
    """The decoded splits: from the cache if no file's name, size or time of change has changed since, else anew.

    The cache lies in `root/.normscope-cache`, or in the user's cache folder if `root` cannot be written to. It is one
    uncompressed .npz without pickles, whose checksums are tested as it is read; a damaged one is made again.

    Raises:
        UsageError: if a file cannot be decoded; see `images.decode`.
    """
    name = f"{fingerprint([*train, *test])}.npz"
    folders = (root / FOLDER, users_folder(root))
    for folder in folders:
        if kept := _read(folder / name):
            return kept
    with _first_writable(folders) as writable:
        kept = _read(writable / name) if writable else None  # another process may have been faster
        if kept is None:
            kept = splits_of(train, test)
            if writable:
                _write(writable / name, kept)
            else:
                _warn_of_decoding_again(" or ".join(map(str, folders)), "no permission")
    return kept


def fingerprint(files: Sequence[ImageFile]) -> str:
    """SHA-256 over the names (split, class, file), sizes and times of change of all files."""
    digest = hashlib.sha256(f"format {FORMAT}\n".encode())
    for file in files:
        digest.update(f"{file.path.parts[-3:]} {file.size} {file.changed}\n".encode())
    return digest.hexdigest()


def users_folder(root: Path) -> Path:
    """Where the cache of a read-only folder goes: beside PyTorch's own, $TORCH_HOME or ~/.cache/torch."""
    return Path(torch.hub.get_dir()).with_name("normscope") / hashlib.sha256(str(root.resolve()).encode()).hexdigest()


def _read(path: Path) -> tuple[Split, Split] | None:
    """The splits, or None if there are none or the file is damaged."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            train, test = (
                Split(torch.from_numpy(arrays[f"{name}_images"]), torch.from_numpy(arrays[f"{name}_labels"]))
                for name in ("train", "test")
            )
    except (OSError, EOFError, KeyError, ValueError, TypeError, zipfile.BadZipFile, zlib.error):
        return None
    return train, test


def _write(path: Path, splits: tuple[Split, Split]) -> None:
    """Replace the folder's cache in one go; a full disk costs the cache and nothing else."""
    part = path.with_suffix(".part")
    arrays = {
        f"{name}_{kind}": getattr(split, kind).numpy()
        for name, split in zip(("train", "test"), splits, strict=True)
        for kind in ("images", "labels")
    }
    try:
        with part.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
        for old in {*path.parent.glob("*.npz"), *path.parent.glob("*.part")} - {path}:
            old.unlink()
    except OSError as error:
        part.unlink(missing_ok=True)
        _warn_of_decoding_again(str(path.parent), error.strerror or str(error))


def _warn_of_decoding_again(place: str, reason: str) -> None:
    warnings.warn(f"decoded images cannot be kept in {place} ({reason}): every run decodes them again", stacklevel=2)


@contextmanager
def _first_writable(folders: Sequence[Path]) -> Iterator[Path | None]:
    """The first of the folders that can be written to, made where it is missing and held for this process alone."""
    for folder in folders:
        lock = FileLock(folder / "lock")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except (OSError, NotImplementedError):  # no permission; a file system without locks
            continue
        try:
            yield folder
        finally:
            lock.release()
        return
    yield None
