"""What the folder of a job is called; asked of every command, so it imports next to nothing."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from normscope.errors import UsageError
from normscope.runs.folder import LONGEST_NAME, config_hash
from normscope.runs.summary import read_summary

KEYS = ("run", "runs")  # of a job's config: the folder of a run, or a list of such


def reads_runs(job: Mapping[str, Any]) -> bool:
    """Whether a job looks at runs that have ended; else at the run that the command's own config would make."""
    return any(key in job for key in KEYS)


def options_of(job: Mapping[str, Any]) -> dict[str, Any]:
    """A job's config without the runs that it reads."""
    return {key: value for key, value in job.items() if key not in KEYS}


def folder_name(job: Mapping[str, Any]) -> str:
    """What the folder of a job is called: the runs' names, for the reader, and eight digits that stand for the options
    and for the configs of the runs, so that two jobs never share a folder. It does not mind what is wrong with them."""
    value = job.get("runs", job.get("run"))
    folders = [Path(os.path.abspath(str(name))) for name in (value if isinstance(value, list) else [value])]
    end = f"-{config_hash({'options': options_of(job), 'runs': [_which(folder) for folder in folders]})}"
    name = re.sub(r"[^A-Za-z0-9._=+-]", "_", "+".join(folder.name for folder in folders))
    return name.lstrip("-.")[: LONGEST_NAME - len(end)] + end


def _which(folder: Path) -> str:
    """A run's config hash; its place, where that cannot be read."""
    try:
        return str((read_summary(folder) or {})["config_hash"])
    except (UsageError, KeyError):
        return str(folder)
