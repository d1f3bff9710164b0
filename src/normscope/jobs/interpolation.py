"""Loss and accuracy along the straight line through two points in the space of weights."""

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import torch

from normscope.surveys.finished import FinishedRun, count
from normscope.surveys.sources import refuse_difference
from normscope.surveys.survey import Conclusion, Point, Survey

COLUMNS = ("alpha", "train_loss", "train_accuracy", "test_loss", "test_accuracy")


def interpolation(runs: Sequence[FinishedRun], *, points: int, images: int, test_images: int, seed: int) -> Survey:
    """Loss and accuracy at θ(α) = (1 − α) A + α B, for α from −1/2 to 3/2.

    Goodfellow et al. 2015, arXiv:1412.6544, section 3, from a run's initial weights to its last; between two runs it is
    the question whether their minima are connected, Frankle et al. 2020, arXiv:1912.05671, section 2. The height of
    the barrier between them is
        max over α in [0, 1] of E(θ(α)), minus the mean of E(A) and E(B)
    as there, for the share of errors E and for the loss. On a way from high to low without any barrier this is half the
    way; so what rises above the worse of the two ends is told too.

    All weights are interpolated, γ and β of BatchNorm with them. Its running statistics are not: the mean of two
    networks' statistics is that of neither. The training loss is taken with BatchNorm normalising by the batch, as in
    training; the test images are normalised by the statistics of θ(α) itself, taken from those same training batches.
    So the ends of the test curves differ a little from the run's own scores, which an exponential average gave.

    Args:
        runs: A and B, of one model and one data set; or one run, whose initial weights are A and whose last are B.
        points: between A and B, both included; the same spacing beyond them.
        images: at most so many training images, in batches of the first run's size; the same at every α.
        test_images: at most so many test images.
        seed: of the choice of images.
    Raises:
        ValueError: if the runs do not fit together, or a value is out of range; the message holds it.
    """
    if len(runs) not in (1, 2):
        raise ValueError(f"runs: {len(runs)} folders were named; give two, or one whose initial weights are the start")
    if points < 3 or points % 2 == 0:
        raise ValueError(f"points ({points}) must be odd and at least 3, the middle one half way between the two")
    refuse_difference([run.run for run in runs], "model")
    if not runs[0].task.has_classes:
        raise ValueError("runs: their targets are numbers, which have no errors to count; job=loss_surface takes them")
    first, last = runs[0], runs[-1]
    start, end = first.weights if len(runs) == 2 else first.initial, last.weights
    if {name: weight.shape for name, weight in start.items()} != {name: weight.shape for name, weight in end.items()}:
        raise ValueError("runs: their networks have other weights, so that there is no line from one to the other")
    training, test = first.training_batches(images, seed), first.test_batches(test_images, seed)

    def measure(point: Point) -> tuple[float, ...]:
        weights = {name: torch.lerp(start[name], end[name], point[0]) for name in start}
        train_score, buffers = first.in_training_mode(weights, training)
        return *train_score, *first.in_evaluation_mode(weights, buffers, test)

    half = points // 2
    line = [(place / (2 * half),) for place in range(-half, 3 * half + 1)]
    about = f"{len(line)} points, {count(training):,} training and {count(test):,} test images at each"
    return Survey(about, COLUMNS, line, measure, partial(conclude, runs))


def conclude(runs: Sequence[FinishedRun], table: np.ndarray) -> Conclusion:
    """The ends, the barriers between them, and the picture."""
    from normscope.figures.surfaces import interpolation_figure

    columns = dict(zip(COLUMNS, table.T, strict=True))
    alpha = columns["alpha"]
    curves = {
        "train/loss": columns["train_loss"],
        "test/loss": columns["test_loss"],
        "train/error": 1 - columns["train_accuracy"],
        "test/error": 1 - columns["test_accuracy"],
    }
    numbers = {
        f"{name}/{what}": value for name, curve in curves.items() for what, value in barrier(alpha, curve).items()
    }
    loss, error = numbers["train/loss/barrier"], 100 * numbers["test/error/barrier"]
    rises = numbers["train/loss/above_worse_end"]
    sentence = (
        f"training loss {numbers['train/loss/start']:.4g} and {numbers['train/loss/end']:.4g} at the ends, "
        f"{rises:.4g} above the worse of them in between; barrier of the training loss {loss:.4g} nats, of the test "
        f"error {error:.3g} points"
    )
    return Conclusion(sentence, numbers, interpolation_figure([run.run for run in runs], columns, rises))


def barrier(alpha: np.ndarray, curve: np.ndarray) -> dict[str, float]:
    """What a curve does between α = 0 and α = 1.

    Returns:
        start, end: its values there; most: its largest value between them, both included; barrier: most minus their
        mean; above_worse_end: most minus the larger of them. A value that is not a number counts as infinite.
    """
    between = np.where(np.isnan(curve), math.inf, curve)[(alpha >= 0) & (alpha <= 1)]
    start, end, most = float(between[0]), float(between[-1]), float(between.max())
    if not math.isfinite(most):
        return {"start": start, "end": end, "most": most, "barrier": math.inf, "above_worse_end": math.inf}
    return {
        "start": start,
        "end": end,
        "most": most,
        "barrier": most - (start + end) / 2,
        "above_worse_end": most - max(start, end),
    }
