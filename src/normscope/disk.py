"""Whether there is room for runs."""

import os
import shutil
from pathlib import Path

from normscope.errors import UsageError

FREE_BYTES = 500_000_000  # a run's checkpoint twice over, its series and TensorBoard's events


def check_disk(folder: Path) -> None:
    """Refuse a folder of runs that cannot be written to, or a disk that is all but full."""
    existing = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise UsageError(f"{folder}: {existing} cannot be written to; give another folder: outputs=DIR")
    free = shutil.disk_usage(existing).free
    if free < FREE_BYTES:
        raise UsageError(
            f"{folder}: the disk has {free / 1e6:.0f} MB left, a run may need {FREE_BYTES / 1e6:.0f} MB; "
            "make room or give another folder: outputs=DIR"
        )
