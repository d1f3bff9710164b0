"""Files that are the old one or the new one, never half of one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from normscope.errors import UsageError


@contextmanager
def writing(path: Path, size: int | None = None) -> Iterator[None]:
    """Turn the system's refusal (full disk, no permission) into a message for the user.

    Args:
        path: what is written inside the `with`.
        size: bytes that it needs, where that is known.
    Raises:
        UsageError: naming the path, the size and the system's reason.
    """
    try:
        yield
    except OSError as error:
        what = f"{path} ({size / 1e6:.1f} MB)" if size else str(path)
        raise UsageError(
            f"{what} cannot be written: {error.strerror or error}; "
            "make room or give permission there, or choose another folder by hydra.run.dir=DIR"
        ) from error


def replace_file(path: Path, content: bytes | memoryview) -> None:
    """Write a file so that a crash, at whatever moment, leaves the old file or the new one, on the disk.

    The content goes to the folder's `.part`, which is then renamed; what a killed process left there is overwritten
    by the next call. One writer a folder at a time: see `locked`. TensorBoard must not take the unfinished file for an
    event file, so its name is not made of the file's.

    Raises:
        UsageError: if it cannot be written; the old file is as before, and nothing is left beside it.
    """
    part = path.with_name(".part")
    with writing(path, len(content)):
        try:
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk: without it a power cut can undo a rename."""
    if os.name == "nt":  # Windows cannot open a folder; its renames are on the disk when they return
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
