"""Santurkar et al. 2018, section 2: up to which learning rate the VGG trains, with and without BatchNorm."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from normscope.claims import Claim, Verdict
from normscope.criteria import Criterion, difference
from normscope.families import best, families, largest
from normscope.figures.swept import rates_figure, shown_families
from normscope.quantities import best_mean, in_points, mean_of
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("none", "batch")
LEARNED, WINDOW, TIMES = 30, 10, 4  # S1e: %; logged batches; the threshold
POINTS = 3  # S1b

S1E = Claim(
    "S1e",
    f"VGG: the largest learning rate at which the mean of ten logged batches reaches {LEARNED} % training accuracy is "
    f"at least {TIMES} times as large with BatchNorm",
    "with BatchNorm lr 0.5 trains, without it does not (figure 1; 0.1 trains both)",
    "x the rate",
)


S1B = Claim(
    "S1b, best rates",
    f"VGG: the mean training accuracy over the run is at least {POINTS} points higher with BatchNorm, each network at "
    "the learning rate where its own is highest",
    "6.2 points, both at lr 0.1 (94.2 against 88.0; read off figure 1a)",
    "points",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """S1e, and S1b with each network at its best rate."""
    own = families(runs, "optimizer.lr")
    faster = difference(best(in_points(mean_of("train/accuracy"))), worst=-math.inf, at_least=POINTS)
    return [
        *verdicts(S1E, own, [Criterion(times_larger, tie=1, at_least=TIMES)]),
        *verdicts(S1B, own, [faster]),
    ]


def times_larger(reference: Run, treated: Run) -> float | None:
    """How many times as large the largest rate is that trains; not measured where none trains the reference."""
    theirs, ours = (largest(learns)(family) for family in (reference, treated))
    return ours / theirs if theirs else None


def learns(run: Run) -> bool:
    """Whether a run has got so far at some time."""
    return accuracy(run) >= LEARNED


def accuracy(run: Run) -> float:
    """The largest mean of ten logged training accuracies, in %."""
    return in_points(best_mean("train/accuracy", WINDOW))(run)


def plot(runs: Sequence[Run]) -> "Figure":
    """The training accuracy that each learning rate reaches, every seed a point.

    Raises:
        UsageError: if no run with or without BatchNorm has ended.
    """
    return rates_figure(
        shown_families(runs, ARMS, over="optimizer.lr"),
        accuracy,
        ylabel="training accuracy, %",
        top=100,
        level=(LEARNED, f"trains: {LEARNED} %"),
        title="Up to which learning rate the VGG trains",
        text="The largest mean of ten logged batches. Line: median over the seeds; points: each seed.",
    )
