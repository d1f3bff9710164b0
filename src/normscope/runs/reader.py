"""The runs below a folder, for the report and for whoever draws a figure of their own."""

import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from normscope.errors import UsageError
from normscope.runs.series import FILE, read_rows
from normscope.runs.summary import read_summary

Series = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Run:
    """One run as it lies in its folder; read when asked, and once.

    Attributes:
        config: resolved; choices: group -> the option that was chosen, e.g. {"model/norm": "batch"}.
        summary: what `summary.json` says.
    """

    folder: Path
    config: dict[str, Any]
    choices: dict[str, Any]
    summary: dict[str, Any]

    @property
    def status(self) -> str:
        """finished, diverged, interrupted or failed."""
        return str(self.summary["status"])

    @property
    def standing(self) -> str:
        """The status, and how far the run came where that is known: of one that failed it is not."""
        return self.status + (f" at step {self.summary['step']}" if "step" in self.summary else "")

    @property
    def seed(self) -> int:
        return int(self.config["seed"])

    @property
    def scale(self) -> str:
        """The scale that was chosen; the paper's where none was."""
        return str(self.choices.get("scale") or "paper")

    def names(self) -> list[str]:
        """The names of all series, sorted."""
        return sorted(self._series)

    def layers(self, pattern: str) -> list[str]:
        """The layers that have a series or histogram of this name, such as "covariate_shift/{layer}/l2".

        They come in the order in which they were written, which is that of the forward pass.
        """
        if "{layer}" not in pattern:
            return []
        shape = re.compile("([^/]+)".join(map(re.escape, pattern.split("{layer}"))))
        found = (shape.fullmatch(name) for name in [*self._series, *self._histograms])
        return list(dict.fromkeys(match[1] for match in found if match))

    def series(self, name: str) -> Series:
        """(steps, values) of a series: int64 and float64, (T,) each; empty where the run has no such series.

        Raises:
            UsageError: if `series.csv` is damaged.
        """
        return self._series.get(name, (np.empty(0, np.int64), np.empty(0)))

    def histograms(self, name: str) -> list[tuple[int, np.ndarray, np.ndarray]]:
        """(step, edges (B+1,), counts (B,)) of a histogram at every step that it was taken; [] where it never was."""
        return self._histograms.get(name, [])

    @cached_property
    def _histograms(self) -> dict[str, list[tuple[int, np.ndarray, np.ndarray]]]:
        from normscope.runs.events import event_files, read_records

        found: dict[str, list[tuple[int, np.ndarray, np.ndarray]]] = {}
        for path in event_files(self.folder):
            for _, event in read_records(path):
                for value in event.summary.value:
                    if value.HasField("histo"):
                        edges, counts = np.array(value.histo.bucket_limit), np.array(value.histo.bucket)
                        entry = event.step, edges, counts[1:]  # the first bucket only keeps the first edge
                        found.setdefault(value.tag, []).append(entry)
        return found

    @cached_property
    def _series(self) -> dict[str, Series]:
        path = self.folder / FILE
        if not path.exists():
            return {}
        columns: dict[str, tuple[list[int], list[float]]] = {}
        for step, name, value in read_rows(path):
            steps, values = columns.setdefault(name, ([], []))
            steps.append(step)
            values.append(value)
        return {name: (np.array(steps, np.int64), np.array(values)) for name, (steps, values) in columns.items()}


def find_runs(root: Path, experiment: str | None = None) -> list[Run]:
    """The runs below `root`, at any depth, in the order of their folders.

    A run is a folder with `config.yaml` and `summary.json`: one that was killed is none until it has gone on to its
    end. One whose files cannot be read is left out with a warning that names it.

    Args:
        experiment: only the runs of this experiment, as chosen on the command line, and of those below it, such as
            a/b/c of a/b; None takes them all.
    """
    runs = []
    for folder in run_folders(root):
        try:
            run = read_run(folder)
        except UsageError as error:
            warnings.warn(f"left out {folder}: {error}", stacklevel=2)
            continue
        if experiment is None or f"{run.choices.get('experiment')}/".startswith(f"{experiment}/"):
            runs.append(run)
    return runs


def run_folders(root: Path) -> Iterator[Path]:
    """The folders below `root` that hold a run, sorted; hidden ones are not looked into."""
    for name, folders, files in os.walk(root):
        folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
        if {"config.yaml", "summary.json"} <= set(files):
            yield Path(name)


def read_run(folder: Path) -> Run:
    """Read a run's config and summary.

    Raises:
        UsageError: if one of them is missing, unreadable, or not what a run writes.
    """
    import yaml

    path = folder / "config.yaml"
    try:
        config = yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    if not isinstance(config, dict) or not isinstance(config.get("choices"), dict):
        raise UsageError(f"{path} is no config of a run: it has no 'choices'")
    summary = read_summary(folder)
    if summary is None:
        raise UsageError(f"{folder} has no summary.json: the run has not ended")
    return Run(folder, config, config.pop("choices"), summary)
