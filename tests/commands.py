"""Running `normscope` as its users do, for tests."""

import os
import subprocess
import sys
from pathlib import Path

TINY = [
    "dataset=sample",
    "dataset.train_size=64",
    "dataset.test_size=20",
    "model.width=0.0625",
    "batch_size=16",
    "log_every=1",
    "probe_every=4",
    "evaluate_every=4",
]


def normscope(*overrides: str, cwd: Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder of its own and wait for its end."""
    return subprocess.run(
        [sys.executable, "-m", "normscope", *overrides],
        cwd=cwd,
        env=os.environ | {"COLUMNS": "200", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def run_folders(outputs: Path) -> list[Path]:
    """The folders of all runs below outputs/."""
    return sorted(path.parent for path in outputs.rglob("config.yaml"))
