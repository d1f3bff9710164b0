"""The finished runs that a job reads: found, checked and compared without importing PyTorch."""

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from normscope.errors import UsageError
from normscope.pairs import ENDED
from normscope.preflight import check_config
from normscope.runs.dotted import flat
from normscope.runs.folder import config_hash
from normscope.runs.reader import Run, find_runs, read_run
from normscope.settings import Settings
from normscope.surveys.names import KEYS

CHECKPOINT = "last.pt"
SHOWN = 3  # runs that a message names


def sources(job: Mapping[str, Any], outputs: Path) -> list[Run]:
    """The runs that a job names, in its order.

    Args:
        job: its config.
        outputs: the folder of all runs, to say which there are.
    Raises:
        UsageError: if one is missing, has not ended, has no checkpoint, was altered or is of another version of
            normscope; if one is named twice; if they are of different data or tasks.
    """
    runs = []
    for key, name in _named(job):
        try:
            runs.append(ended_run(Path(name)))
        except UsageError as error:
            raise UsageError(f"job.{key}={name}: {error}; {known(outputs)}") from error
    for number, run in enumerate(runs):
        if any(run.folder.resolve() == other.folder.resolve() for other in runs[:number]):
            raise UsageError(f"job.runs: {run.folder} is named twice; name different runs")
    for group in ("dataset", "task"):
        refuse_difference(runs, group)
    return runs


def ended_run(folder: Path) -> Run:
    """A run that has ended, finished or diverged, with its checkpoint.

    Raises:
        UsageError: if it is missing, has not ended, has no checkpoint, was altered or is of another version.
    """
    if not folder.is_dir():
        raise UsageError("there is no such folder")
    if not (folder / "config.yaml").exists():
        raise UsageError("holds no run: it has no config.yaml")
    run = read_run(folder)
    if run.status not in ENDED:
        raise UsageError(f"the run is {run.standing}; repeat the command that began it")
    if not (folder / CHECKPOINT).exists():
        raise UsageError(f"the run has no {CHECKPOINT}, so its weights are lost; repeat the command that made it")
    lacking = [f.name for f in fields(Settings) if f.name not in ("job", "search") and f.name not in run.config]
    if lacking:
        version = run.summary.get("versions", {}).get("normscope", "unknown")
        raise UsageError(
            f"its config.yaml has no {lacking[0]}; it is of another version of normscope ({version}), so train it anew"
        )
    if run.summary.get("config_hash") != config_hash(run.config):
        raise UsageError("its config.yaml was changed after the run, so that its weights may be of another network")
    check_config(run.config)
    return run


def refuse_difference(runs: Sequence[Run], group: str) -> None:
    """Refuse runs that differ in a group of the config, such as `model`.

    Where the data lies and what it was downloaded from are no difference, but for class folders, which are their place.

    Raises:
        UsageError: that names the runs, the setting and both values.
    """
    for run in runs[1:]:
        ours, theirs = _in_group(runs[0], group), _in_group(run, group)
        for key in [*ours, *theirs]:
            if ours.get(key) != theirs.get(key):
                raise UsageError(
                    f"job.runs do not fit together: {key}={ours.get(key)} in {runs[0].folder}, but "
                    f"{key}={theirs.get(key)} in {run.folder}; name runs of one {group}"
                )


def fingerprints(runs: Sequence[Run]) -> list[dict[str, str]]:
    """What tells the state that runs were left in from any other: their names, configs and checkpoints' bytes."""
    found = []
    for run in runs:
        with (run.folder / CHECKPOINT).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        name = run.folder.resolve().name
        found.append({"name": name, "config_hash": config_hash(run.config), "checkpoint_sha256": digest})
    return found


def known(outputs: Path) -> str:
    """Which runs a job could read, in words."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ended = [run for run in find_runs(outputs) if run.status in ENDED and (run.folder / CHECKPOINT).exists()]
    if not ended:
        return f"no run under {outputs} has ended yet; make one, e.g. normscope scale=laptop dataset=sample"
    latest = sorted(ended, key=lambda run: (run.folder / CHECKPOINT).stat().st_mtime, reverse=True)[:SHOWN]
    return f"of those under {outputs} the latest: {', '.join(str(run.folder) for run in latest)}"


def _named(job: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(key, folder) of each run that a job names."""
    named = []
    for key in KEYS:
        if key in job:
            value = job[key]
            folders = value if key == "runs" else [value]
            if not isinstance(folders, list) or not folders or not all(isinstance(name, str) for name in folders):
                what = "a list of the folders of runs, [A,B]" if key == "runs" else "the folder of a run"
                raise UsageError(f"job.{key}={value}: must be {what}")
            named += [(key, name) for name in folders]
    return named


def _in_group(run: Run, group: str) -> dict[str, Any]:
    """The choices in a group of the config and below it, then its values."""
    chosen = {key: value for key, value in run.choices.items() if key == group or key.startswith(f"{group}/")}
    values = flat(run.config[group], f"{group}.")
    if group == "dataset" and run.choices.get("dataset") != "folder":
        values = {key: value for key, value in values.items() if key not in ("dataset.root", "dataset.url")}
    return {**dict(sorted(chosen.items())), **values}
