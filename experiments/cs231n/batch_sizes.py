"""CS231n, assignment 2: batch sizes of 5, 10 and 50 with BatchNorm and with layer normalisation."""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.claims import Claim, Verdict
from normscope.criteria import of_treated, ratio
from normscope.families import members, spread
from normscope.figures.lines import label_ends
from normscope.figures.look import entitle, new_figure
from normscope.figures.swept import over_setting, shown_families
from normscope.quantities import Quantity, best_mean, in_points, unless_diverged
from normscope.runs.reader import Run
from normscope.verdicts import medians, verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("none", "batch", "layer")
OVER = "batch_size"
SMALL, LARGE = 5, 50
SPLITS = {"training": "training_set", "validation": "validation"}
NETWORK = "five layers of 100 ReLU units, 1,000 images, 10 epochs, best accuracy on the {split} images"


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """B7 in its two parts, on the training and on the validation images, as the assignment draws both."""
    return [verdict for split, name in SPLITS.items() for verdict in of_split(runs, split, best(f"{name}/accuracy"))]


def of_split(runs: Sequence[Run], split: str, accuracy: Quantity) -> list[Verdict]:
    """Batches of 5 against batches of 50 with BatchNorm; and the range over all three, of either norm."""
    small = Claim(
        f"B7, {split}",
        f"{NETWORK.format(split=split)}: with BatchNorm batches of {SMALL} end below batches of {LARGE}",
        "a question of the assignment, without a number",
        "points below",
    )
    steady = Claim(
        f"B7, layer norm, {split}",
        f"{NETWORK.format(split=split)}: over the batch sizes it spans a smaller range with layer normalisation than "
        "with BatchNorm",
        "a question of the assignment, without a number",
        "x the range",
    )
    below = of_treated(loss_of_points(accuracy), worst=math.inf, tie=0.0, at_least=np.nextafter(0, 1))
    range_of = spread(accuracy, worst=0.0)
    return [
        *verdicts(small, runs, [below], reference="batch", treated="batch", over=OVER),
        *verdicts(
            steady, runs, [ratio(range_of, worst=math.inf, at_most=np.nextafter(1, 0))],
            reference="batch", treated="layer", over=OVER, notes=medians("BatchNorm", "layer norm", range_of),
        ),
    ]  # fmt: skip


def best(name: str) -> Quantity:
    """The highest of the scorings, in points; 0 of a run that diverged."""
    return unless_diverged(in_points(best_mean(name, 1)), 0.0)


def loss_of_points(accuracy: Quantity) -> Callable[[Run], float]:
    """Of a family, how far the smallest batches stay below the largest."""

    def of(family: Run) -> float:
        own = members(family)
        return accuracy(own[LARGE]) - accuracy(own[SMALL]) if {SMALL, LARGE} <= own.keys() else math.nan

    return of


def plot(runs: Sequence[Run]) -> "Figure":
    """Best accuracy on the training and on the validation images over the batch sizes."""
    found = shown_families(runs, ARMS, over=OVER)
    with new_figure(13, 6.2) as figure:
        for axis, (split, name) in zip(figure.subplots(1, 2), SPLITS.items(), strict=True):
            ends = over_setting(axis, found.arms, best(f"{name}/accuracy"))
            sizes = list(members(next(iter(found.arms.values()))[0]))
            axis.set_xticks(sizes, [f"{size:g}" for size in sizes], minor=False)
            axis.minorticks_off()
            axis.set_title(f"Best on the {split} images")
            axis.set(xlabel="images in a batch", ylabel="accuracy, %")
            label_ends(axis, ends)
        text = (
            f"{found.caption()} 10 epochs: 2,000 updates in batches of 5, 200 in batches of 50. The highest of the "
            "scorings after each epoch, in evaluation mode. Lines: medians over the seeds, points: each seed."
        )
        entitle(figure, "Small batches", text)
    return figure
