"""Where a run's weights come from: the choice of the group `start`, and the run that it stands for."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from normscope.errors import UsageError
from normscope.instantiation import made
from normscope.runs.dotted import flat
from normscope.runs.reader import Run, find_runs
from normscope.surveys.sources import ended_run, known

HELD_OUT = ("validation", "fold")  # what says which images of the dataset are


@dataclass(frozen=True)
class Start:
    """Take the weights that a finished run ended in, replace its head, and let all blocks learn or the upper ones only.

    Transfer learning as in CS231n's notes and Yosinski et al. 2014, arXiv:1411.1792. A block is a child of the network
    that holds a weight layer (a layer of a VGG or MLP, a residual block); the last one is the head. What is frozen
    computes as in an evaluation and keeps its weights and running statistics to the bit.

    Args:
        run: the folder of the run; null where `experiment` finds it.
        experiment: look for the run among those of this experiment, under `outputs`.
        match: the settings and choices in which it has to agree with this run, e.g. [seed,model/norm].
        head: new, drawn by this run's init and seed; or keep, where the classes are the same.
        trained: all; or how many blocks below the head learn at first, the uppermost, from 0 (a linear classifier on
            fixed features).
        thaw_every: updates after which one more block learns, the uppermost of the frozen (Howard & Ruder 2018,
            arXiv:1801.06146, section 3.3); null: what is frozen stays so.
        lr_factor: on the learning rate of what was taken; that of the head is 1 (the same, section 3.2), above 0.
    Raises:
        ValueError: if a value is out of range, or both or none of `run` and `experiment` are given.
    """

    run: str | None
    experiment: str | None
    match: Sequence[str]
    head: str
    trained: int | str
    thaw_every: int | None
    lr_factor: float

    def __post_init__(self) -> None:
        if (self.run is None) == (self.experiment is None):
            given = "neither run nor experiment is" if self.run is None else "both run and experiment are"
            raise ValueError(f"{given} given; give start.run=FOLDER, or start.experiment=NAME start.match=[seed]")
        if self.head not in ("new", "keep"):
            raise ValueError(f"head ({self.head}) must be new or keep")
        if isinstance(self.trained, str) and self.trained != "all":
            raise ValueError(f"trained ({self.trained}) must be all, or a number of blocks below the head, from 0")
        if isinstance(self.trained, int) and self.trained < 0:
            raise ValueError(f"trained ({self.trained}) must be at least 0, the head alone")
        if self.thaw_every is not None and self.thaw_every < 1:
            raise ValueError(f"thaw_every ({self.thaw_every}) must be at least 1 update, or null for never")
        if not 0 < self.lr_factor < math.inf:
            raise ValueError(f"lr_factor ({self.lr_factor}) must be positive; start.trained=0 leaves all blocks alone")
        if self.trained == "all" and self.thaw_every is not None:
            raise ValueError(
                f"thaw_every ({self.thaw_every}): with trained=all nothing is frozen; take start.trained=0"
            )
        if self.trained == 0 and self.thaw_every is None and self.lr_factor != 1:
            raise ValueError(f"lr_factor ({self.lr_factor}): with trained=0 nothing that is taken learns; leave it out")


def start_of(config: Mapping[str, Any]) -> Start | None:
    """What the group `start` says; None where the weights are drawn.

    Raises:
        UsageError: if a value does not fit; the message holds it.
    """
    node = config["start"]
    if not node:
        return None
    if "_target_" not in node:
        raise UsageError(f"start: {', '.join(node)} belong to start=run; add it, e.g. start=run start.run=FOLDER")
    start: Start = made("start", node)
    return start


def check_start(config: Mapping[str, Any], choices: Mapping[str, Any]) -> None:
    """Raise UsageError if a run names no weights that it could start from."""
    start = start_of(config)
    if start is not None:
        source_of(start, config, choices)


def source_of(start: Start, config: Mapping[str, Any], choices: Mapping[str, Any]) -> Run:
    """The run that a start stands for, found and checked without importing PyTorch.

    Args:
        config, choices: of the run that is to start from it.
    Raises:
        UsageError: if there is no such run or several, it has not finished, or it learnt from images that are held out
            for validation here.
    """
    outputs = Path(config["outputs"])
    if start.run is not None:
        folder, key = Path(start.run), f"start.run={start.run}"
    else:
        folder, key = _matching(start, outputs, _known(config, choices)), f"start.experiment={start.experiment}"
    try:
        run = ended_run(folder)
    except UsageError as error:
        raise UsageError(f"{key}: {error}; {known(outputs)}") from error
    if run.status != "finished":
        raise UsageError(f"{key}: the run in {folder} {run.status} at step {run.summary['step']}; start from another")
    if config["dataset"].get("validation") and _learnt_what_is_held_out(run, config, choices):
        same = " ".join(f"dataset.{name}={config['dataset'][name]}" for name in HELD_OUT if name in config["dataset"])
        raise UsageError(
            f"{key}: the run in {folder} learnt the labels of images that are held out here for validation, whose "
            f"score would be too good; train that run with {same} too"
        )
    return run


def _learnt_what_is_held_out(source: Run, config: Mapping[str, Any], choices: Mapping[str, Any]) -> bool:
    """Whether a run was trained on labelled images that are another's validation images, as far as settings tell."""
    own, theirs = config["dataset"], source.config["dataset"]
    same_data = choices["dataset"] == source.choices["dataset"] and own.get("root") == theirs.get("root")
    classes = [one.get("classes") for one in (own, theirs)]
    if not same_data or source.choices["task"] != "labels" or (all(classes) and not set(classes[0]) & set(classes[1])):
        return False
    return any(own.get(key) != theirs.get(key) for key in (*HELD_OUT, "classes"))


def _matching(start: Start, outputs: Path, own: Mapping[str, Any]) -> Path:
    """The folder of the one run of an experiment that agrees with this one."""
    unknown = [key for key in start.match if key not in own]
    if unknown:
        raise UsageError(
            f"start.match: this run has no setting or choice {unknown[0]!r}; try seed, scale, model or model.width"
        )
    wanted = {key: own[key] for key in start.match}
    words = ", ".join(f"{key}={value}" for key, value in wanted.items()) or "no key"
    found = [
        run.folder
        for run in find_runs(outputs, start.experiment)
        if all(_known(run.config, run.choices).get(key) == value for key, value in wanted.items())
    ]
    if not found:
        raise UsageError(
            f"start.experiment={start.experiment}: no run of it under {outputs} has {words}; make it with normscope "
            f"experiment={start.experiment}, with the same settings"
        )
    if len(found) > 1:
        raise UsageError(
            f"start.experiment={start.experiment}: {len(found)} runs of it have {words}: "
            f"{', '.join(map(str, found[:3]))}; add to start.match what tells them apart, or name one by start.run"
        )
    return found[0]


def _known(config: Mapping[str, Any], choices: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by their dotted keys and choices by their groups."""
    return {**flat(config), **choices}
