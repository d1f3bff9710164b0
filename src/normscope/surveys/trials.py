"""Short trainings from the beginning of a run that has not begun, each from the same state."""

import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch

from normscope.data.batches import Batches
from normscope.data.dataset import Split, subset
from normscope.measurement import Probe
from normscope.regularizers.rules import TrainingRule
from normscope.training.loop import train
from normscope.training.probing import Probing
from normscope.training.recording import Images
from normscope.training.run import Job
from normscope.training.state import restore_training_state, training_state
from normscope.training.step import Trainee

Series = dict[str, list[float]]  # name, as in a run's series.csv -> a value for each update that was recorded


@dataclass(frozen=True, eq=False)
class Beginning:
    """A run put together, and the state before its first update.

    The rules of the place `training` (averages of weights, early stopping) are left out: they do not change the first
    updates.

    Attributes:
        job: the run.
        trainee: what is trained: weights, statistics and the optimizer's memory are those of the latest trial.
        state: before the first update.
    """

    job: Job
    trainee: Trainee
    state: Mapping[str, Any]

    @classmethod
    def of(cls, job: Job) -> Self:
        """The beginning of a run that is not used otherwise."""
        rules = replace(job.trainee.regularizers, training=())
        trainee = replace(job.trainee, regularizers=rules)
        return cls(job, trainee, deepcopy(training_state(trainee, job.batches, 0)))

    def trial(
        self,
        images: Images,
        *,
        batch_size: int,
        steps: int,
        lr: float,
        probes: Sequence[Probe] = (),
        until: TrainingRule | None = None,
        seed: int = 0,
        **trainee: Any,
    ) -> Series:
        """Train from the beginning by the loop of every run, at a constant rate, and leave no files.

        Initial weights, running statistics, the optimizer's memory and the random streams are the same whatever was
        tried before. It ends early where a loss is not finite.

        Args:
            images: to be trained on, in batches in an order of the seed.
            lr: 0 stands still, whatever the optimizer.
            probes: measured where they are due.
            until: a rule that may stop the trial; asked after each update.
            trainee: what is to be another than the run's, e.g. `precision`.
        Raises:
            KeyboardInterrupt: if it was stopped by SIGINT or SIGTERM.
        """
        restore_training_state(self.trainee, self.job.batches, deepcopy(dict(self.state)))
        changed = replace(self.trainee, **trainee)
        if lr == 0:
            changed = replace(changed, optimizer=torch.optim.SGD(changed.weights.values(), lr=0.0))
        if until is not None:
            changed = replace(changed, regularizers=replace(changed.regularizers, training=(until,)))
        plan = replace(
            self.job.plan,
            steps=steps,
            base_lr=lr,
            schedule=_constant,
            observers=(),
            log_every=1,
            evaluate_every=1 if until else steps + 1,
            checkpoint_every=steps + 1,
            diverged_above=math.inf,
        )
        notes, batches = Notes(), Batches(len(images.labels), batch_size, seed)
        outcome = train(
            changed, batches, images, {}, plan, Probing(tuple(probes)), notes,
            start=0, save=_nothing, progress=_nothing,
        )  # fmt: skip
        if outcome.status == "interrupted":
            raise KeyboardInterrupt
        return notes.series


class Notes:
    """Takes a trial's series in place of a run's writer."""

    def __init__(self) -> None:
        self.series: Series = {}

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Keep the numbers of a step."""
        for name, value in values.items():
            self.series.setdefault(name, []).append(value)

    def histogram(self, step: int, name: str, *histogram: Any, **named: Any) -> None:
        """Histograms are not kept."""


class Learnt(TrainingRule):
    """Stops when the batch is learnt: its loss below a bound and, where there are classes, every answer right."""

    def __init__(self, bound: float) -> None:
        self.bound = bound

    def should_stop(self, metrics: Mapping[str, float]) -> str:
        """The reason, or "" to go on."""
        is_learnt = metrics.get("train/loss", math.inf) < self.bound and metrics.get("train/accuracy", 1.0) == 1
        return "learnt" if is_learnt else ""


def few_of(images: Images, count: int) -> Images:
    """The same number of images of each class, as nearly as may be; in regression the first ones."""
    if images.labels.is_floating_point():
        return Images(images.images[:count], images.labels[:count])
    some = subset(Split(images.images.cpu(), images.labels.cpu()), count)
    device = images.images.device
    return Images(some.images.to(device), some.labels.to(device))


def thinned(losses: Sequence[float], count: int) -> list[float]:
    """`count` of the losses from the first to the last; where there are fewer, all of them and nan after them."""
    if len(losses) <= count:
        return [*losses, *[math.nan] * (count - len(losses))]
    return [losses[place] for place in places(len(losses), count)]


def places(updates: int, count: int) -> list[int]:
    """The updates that `thinned` keeps."""
    return list(range(updates)) if updates <= count else [round(x) for x in np.linspace(0, updates - 1, count)]


def _constant(step: int, steps: int) -> float:
    return 1.0


def _nothing(*of: Any) -> None:
    return None
