"""A search as it lies in its folder: `search.yaml`, and a run, or one for each fold, for every trial."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normscope.errors import UsageError
from normscope.runs.atomic import replace_file, writing
from normscope.searches.scores import LARGER_IS_BETTER, score_of
from normscope.searches.space import Interval, Listed, Setting

if TYPE_CHECKING:
    from normscope.runs.reader import Run

FILE = "search.yaml"
MAY_CHANGE = ("trials", "outputs", "device", "checkpoint_every")  # and it is the same search, gone on with


@dataclass(frozen=True)
class Search:
    """What is searched, and how.

    Attributes:
        method: the choice of the group `search`; score, trials, folds, seed: its settings of these names.
        space: the settings that are searched.
        fixed: the other overrides of the command, without those of the search.
        config: resolved, with the defaults of the settings that are searched.
    """

    method: str
    score: str
    trials: int
    folds: int
    seed: int | None
    space: tuple[Setting, ...]
    fixed: tuple[str, ...]
    config: dict[str, Any]

    @property
    def larger_is_better(self) -> bool:
        return LARGER_IS_BETTER[self.score]


@dataclass(frozen=True)
class Tried:
    """A trial that has begun.

    Attributes:
        settings: key -> value, a number for a range and text for a list.
        score: as the search has it; infinitely bad where there is none.
        status: finished, or what became of the first of its folds that did not finish.
        seconds: of training and scoring, all folds together.
    """

    folder: Path
    settings: Mapping[str, float | str]
    score: float
    status: str
    seconds: float


def check_record(folder: Path, search: Search) -> None:
    """Refuse a folder that holds another search; more trials of the same one are welcome.

    Raises:
        UsageError: saying in what they differ.
    """
    path = folder / FILE
    different = _different(_load(path), _plain(search)) if path.exists() else []
    if different:
        raise UsageError(
            f"{folder} holds another search (it differs in {', '.join(different[:3])}"
            f"{', ...' if len(different) > 3 else ''}); give this one a name of its own: search.name=NAME"
        )


def write_search(folder: Path, search: Search) -> None:
    """Write `search.yaml`.

    Raises:
        UsageError: if the folder cannot be written.
    """
    import yaml

    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / FILE, yaml.safe_dump(_plain(search), sort_keys=False, allow_unicode=True).encode())


def read_search(folder: Path) -> Search:
    """Read `search.yaml`.

    Raises:
        UsageError: if there is none, or it is not what a search writes.
    """
    path = folder / FILE
    if not path.exists():
        raise UsageError(f"{folder} holds no search: there is no {FILE} in it")
    content = _load(path)
    try:
        space = tuple(
            Listed(node["key"], tuple(node["values"])) if "values" in node else Interval(**node)
            for node in content.pop("space")
        )
        return Search(space=space, fixed=tuple(content.pop("fixed")), **content)
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{path} is no record of a search: {error}") from error


def trials_of(search: Search, folder: Path) -> list[Tried]:
    """The trials of a search that have ended or were stopped, best first; a killed one is none until it has gone on."""
    from normscope.runs.reader import find_runs

    return tried(search, find_runs(folder))


def searches_of(runs: "Sequence[Run]") -> list[tuple[Search, list["Run"]]]:
    """The searches that runs are trials of, each with its runs, in the order of their folders."""
    found: dict[Path, list[Run]] = {}
    for run in runs:
        for folder in list(run.folder.parents)[:2]:  # a fold's run lies one deeper
            if (folder / FILE).exists():
                found.setdefault(folder, []).append(run)
    return [(read_search(folder), members) for folder, members in sorted(found.items())]


def tried(search: Search, runs: "Sequence[Run]") -> list[Tried]:
    """The trials that runs are of, best first."""
    folds: dict[Path, list[Run]] = {}
    for run in runs:
        folds.setdefault(run.folder if search.folds == 1 else run.folder.parent, []).append(run)
    found = [_tried(search, where, runs) for where, runs in folds.items()]
    sign = -1 if search.larger_is_better else 1
    return sorted(found, key=lambda trial: (sign * trial.score, trial.folder.name))


def lacking(search: Search, trials: Sequence[Tried]) -> str:
    """How many trials of a search have ended, in words; "" where all have."""
    ended = sum(trial.status not in ("interrupted", "failed") for trial in trials)
    return "" if ended >= search.trials else f"{ended} of {search.trials} trials"


def _tried(search: Search, folder: Path, runs: "Sequence[Run]") -> Tried:
    summaries = [run.summary for run in runs] + [None] * (search.folds - len(runs))
    score = score_of(summaries, search.score)
    unfinished = [run.status for run in runs if run.status != "finished"] + ["interrupted"] * (search.folds - len(runs))
    return Tried(
        folder=folder,
        settings={setting.key: _value(setting, runs[0]) for setting in search.space},
        score=score,
        status=(unfinished or ["finished" if math.isfinite(score) else "no score"])[0],
        seconds=sum(run.summary.get("seconds", 0) for run in runs),
    )


def _value(setting: Setting, run: "Run") -> float | str:
    """The value of a setting in a run: an option of a group, or a number or text of the config."""
    key = setting.key.lstrip("+")
    node: Any = run.choices.get(key, run.config)
    for part in key.split(".") if key not in run.choices else ():
        node = node.get(part) if isinstance(node, Mapping) else None
    if isinstance(setting, Listed):
        return next((word for word in setting.values if _means(word, node)), _typed(node))
    return float(node) if isinstance(node, int | float) else _typed(node)


def _means(word: str, value: Any) -> bool:
    """Whether a word of the command line stands for a value of a config: 1 for 1.0, True for true."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(word) == value
        except ValueError:
            return False
    return word == _typed(value) or (isinstance(value, bool) and word.lower() == _typed(value))


def _typed(value: Any) -> str:
    """A value as it is typed on the command line; choices of a group that takes several are the keys of a mapping."""
    if isinstance(value, list | Mapping):
        return f"[{','.join(map(_typed, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)


def _plain(search: Search) -> dict[str, Any]:
    content = asdict(search)
    content["space"] = [
        {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(setting).items()}
        for setting in search.space
    ]
    return content | {"fixed": list(search.fixed)}


def _load(path: Path) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(path.read_bytes())
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path} is no record of a search")
    return content


def _different(old: Any, new: Any, path: str = "") -> list[str]:
    """The dotted keys in which two records differ, but for what may change."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = [key for key in {**old, **new} if f"{path}{key}".removeprefix("config.") not in MAY_CHANGE]
        return [found for key in keys for found in _different(old.get(key), new.get(key), f"{path}{key}.")]
    return [] if old == new else [path.rstrip(".")]
