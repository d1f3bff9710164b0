"""What a run was and how it ended, in two small files, and the machine and the source that it ran with."""

import json
import math
import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import normscope
from normscope.errors import UsageError
from normscope.runs.atomic import replace_file

PACKAGES = ("torch", "numpy", "hydra-core", "tensorboard")
GIT_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")  # set inside git's hooks, and meant for another checkout


def write_config(folder: Path, config: Mapping[str, Any], choices: Mapping[str, Any]) -> None:
    """Write `config.yaml` at once: the resolved config, and under `choices` the option chosen in each group.

    Raises:
        UsageError: if the folder cannot be written.
    """
    import yaml

    text = yaml.safe_dump({**config, "choices": dict(choices)}, sort_keys=False, allow_unicode=True)
    replace_file(folder / "config.yaml", text.encode())


def write_summary(folder: Path, values: Mapping[str, Any]) -> None:
    """Write `summary.json` at once. JSON has no nan and no infinity: they become null.

    Raises:
        UsageError: if the folder cannot be written; an older summary stays whole.
    """
    text = json.dumps(finite(values), indent=2, allow_nan=False)
    replace_file(folder / "summary.json", text.encode() + b"\n")


def finite(value: Any) -> Any:
    """The value with null in place of every nan and infinity."""
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_summary(folder: Path) -> dict[str, Any] | None:
    """Read `summary.json`: None where there is none; a metric that was not finite is nan.

    Raises:
        UsageError: if it is there and cannot be read.
    """
    path = folder / "summary.json"
    try:
        summary = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}; delete it to run its config again") from error
    if not isinstance(summary, dict) or "status" not in summary:
        raise UsageError(f"{path} is no summary of a run: it has no 'status'; delete it to run its config again")
    metrics = summary.get("metrics") or {}
    summary["metrics"] = {name: math.nan if value is None else value for name, value in metrics.items()}
    return summary


def environment() -> dict[str, Any]:
    """What a number depends on beside its config; read without importing the packages.

    Returns:
        versions {python, normscope, torch, ...}, platform, cpus (that this process may use), git_commit and
        git_dirty (null where the source is not kept by git).
    """
    versions = {"python": platform.python_version(), "normscope": normscope.__version__}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    commit, dirty = source_commit(Path(__file__))
    return {
        "versions": versions,
        "platform": platform.platform(),
        "cpus": cpus,
        "git_commit": commit,
        "git_dirty": dirty,
    }


def source_commit(file: Path) -> tuple[str | None, bool | None]:
    """The commit of the checkout that tracks a source file, and whether anything in it has changed since.

    A package that is installed inside somebody's checkout (a venv) is not tracked by it, and has none.
    """
    folder = file.parent
    if git(folder, "ls-files", "--error-unmatch", file.name) is None:
        return None, None
    commit, changes = git(folder, "rev-parse", "HEAD"), git(folder, "status", "--porcelain")
    if commit is None or changes is None:
        return None, None
    return commit, bool(changes)


def git(folder: Path, *command: str) -> str | None:
    """What git prints in that folder; None where git or the checkout is missing, refuses, or takes ten seconds."""
    own = {name: value for name, value in os.environ.items() if name not in GIT_ELSEWHERE}
    try:
        answer = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(folder), *command],
            env=own,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
