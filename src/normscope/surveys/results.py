"""What finished jobs found, for the figures of experiments."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from normscope.runs.reader import Run
from normscope.runs.summary import read_summary
from normscope.surveys.sources import CHECKPOINT, fingerprints


@dataclass(frozen=True, eq=False)
class Result:
    """A finished job.

    Attributes:
        folder: of the job; runs: those that it read, in its order; options: of the job.
        numbers: name -> value, as in its summary; columns: of its table, by name.
    """

    folder: Path
    runs: tuple[Run, ...]
    options: dict[str, Any]
    numbers: dict[str, float]
    columns: dict[str, np.ndarray]


def find_results(job: str, runs: Sequence[Run]) -> list[Result]:
    """What finished jobs of this name found on these runs, in the order of their folders.

    They are looked for in the folder `job` in any folder above the runs, and known by the configs of the runs that they
    read; one that read other runs as well, or a run that was trained anew since, is left out.
    """
    by_hash = {run.summary.get("config_hash"): run for run in runs}
    places = {above / job for run in runs for above in run.folder.absolute().parents}
    found = []
    for folder in sorted(path.parent for place in places for path in place.glob("*/summary.json")):
        summary = read_summary(folder) or {}
        of = summary.get("of") or {}
        read = of.get("runs", [])
        if summary.get("status") != "finished" or of.get("job") != job:
            continue
        if all(
            entry["config_hash"] in by_hash and _is_the_same(by_hash[entry["config_hash"]], entry) for entry in read
        ):
            own = tuple(by_hash[entry["config_hash"]] for entry in read)
            found.append(Result(folder, own, of["options"], summary["metrics"], _columns(folder / f"{job}.csv")))
    return found


def _is_the_same(run: Run, entry: dict[str, str]) -> bool:
    """Whether a run is in the state that a job read; taken for granted where its weights are gone."""
    if not (run.folder / CHECKPOINT).exists():
        return True
    return fingerprints([run])[0]["checkpoint_sha256"] == entry["checkpoint_sha256"]


def _columns(path: Path) -> dict[str, np.ndarray]:
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    return dict(zip(header, np.array(rows, dtype=float).T, strict=True))
