"""CS231n, assignment 2: twenty sizes of the initial weights, with and without BatchNorm."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.claims import Claim, Verdict
from normscope.criteria import difference
from normscope.families import spread
from normscope.figures.lines import label_ends
from normscope.figures.look import entitle, new_figure
from normscope.figures.swept import over_setting, shown_families
from normscope.quantities import best_mean, in_points, mean_of, unless_diverged
from normscope.runs.reader import Run
from normscope.verdicts import medians, verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("none", "batch")
OVER = "init.std"
TRAINING, VALIDATION = (in_points(best_mean(f"{split}/accuracy", 1)) for split in ("training_set", "validation"))
AT_THE_END = mean_of("train/loss", 0.5)  # the last 100 of 200 batches

B6 = Claim(
    "B6",
    "seven layers of 50 ReLU units, 1,000 images, 20 scales of the initial weights: the best training accuracies of "
    "the 20 scales span a smaller range with BatchNorm (the scoring after each epoch; a diverged run counts as 0 %)",
    "a question of the assignment, without a number",
    "points of range",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """B6, on all scales of a seed together."""
    range_of = spread(TRAINING, worst=0.0)
    narrower = difference(range_of, worst=np.inf, at_most=np.nextafter(0, -1))
    return verdicts(B6, runs, [narrower], over=OVER, notes=medians("without", "with BatchNorm", range_of))


def plot(runs: Sequence[Run]) -> "Figure":
    """The assignment's three: best training and validation accuracy, and the loss at the end, over the scales."""
    found = shown_families(runs, ARMS, over=OVER)
    with new_figure(17, 6.2) as figure:
        for axis, title, unit, quantity in zip(
            figure.subplots(1, 3),
            ("Best on the training images", "Best on the validation images", "Loss at the end"),
            ("accuracy, %", "accuracy, %", "training loss, nats"),
            (unless_diverged(TRAINING, 0.0), unless_diverged(VALIDATION, 0.0), unless_diverged(AT_THE_END, np.nan)),
            strict=True,
        ):
            ends = over_setting(axis, found.arms, quantity)
            axis.set_title(title)
            axis.set(xlabel="std of the initial weights", ylabel=unit)
            if unit.endswith("%"):
                axis.set_ylim(0, 102)
            else:
                axis.set_yscale("log")
            label_ends(axis, ends)
        text = (
            f"{found.caption()} Every weight from N(0, std²). Accuracy: the highest of the scorings after each epoch, "
            "in evaluation mode; loss: mean of the last half of the batches. Lines: medians over the seeds, points: "
            "each seed; a run that diverged has accuracy 0 and no loss."
        )
        entitle(figure, "Twenty sizes of the initial weights", text)
    return figure
