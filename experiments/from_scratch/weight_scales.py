"""Deep Learning from Scratch, chapter 6: sixteen sizes of the initial weights, with and without BatchNorm."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.claims import Claim, Verdict
from normscope.criteria import Criterion, difference
from normscope.families import members
from normscope.figures.arms import shown
from normscope.figures.lines import band, label_ends
from normscope.figures.look import arm_colour, entitle, new_figure
from normscope.figures.titles import label
from normscope.quantities import best_mean
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("none", "batch")
OVER = "init.std"
BATCHES = 10  # an epoch: the accuracy of 1,000 images, each while it is trained on
LEARNED = 0.8

C3 = Claim(
    "C3",
    "784-100x5-10, ReLU, 1,000 images, 20 epochs, 16 scales of the initial weights: at least 6 more of them reach 80 % "
    "training accuracy with BatchNorm, and the best accuracy with it is as high or higher at 13 of the 16 or more",
    "with BatchNorm nearly all scales learn, without it few (the book's figure 6-19)",
    "scales more",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """C3, on all scales of a seed together."""
    criteria = [
        difference(learned, worst=-math.inf, at_least=6),
        Criterion(at_least_as_high, tie=8, at_least=13),
    ]
    return verdicts(C3, runs, criteria, over=OVER)


def best(run: Run) -> float:
    """The highest mean training accuracy over an epoch; 0 of a run that diverged."""
    return 0.0 if run.status == "diverged" else best_mean("train/accuracy", BATCHES)(run)


def learned(family: Run) -> float:
    """How many scales reach the accuracy."""
    return float(sum(best(run) >= LEARNED for run in members(family).values()))


def at_least_as_high(none: Run, batch: Run) -> float:
    """At how many scales BatchNorm is as good or better."""
    return float(sum(best(members(batch)[std]) >= best(run) for std, run in members(none).items()))


def plot(runs: Sequence[Run]) -> "Figure":
    """The training accuracy over the epochs, a panel for each scale, from the largest weights to the smallest."""
    stds = sorted({run.config["init"]["std"] for run in runs}, reverse=True)
    columns = min(4, len(stds))
    with new_figure(14.4, 1.9 + 3.1 * math.ceil(len(stds) / columns)) as figure:
        axes = figure.subplots(math.ceil(len(stds) / columns), columns, squeeze=False, sharex=True, sharey=True)
        for axis in axes.flat[len(stds) :]:
            axis.set_visible(False)
        for place, (axis, std) in enumerate(zip(axes.flat, stds, strict=False)):
            found = shown([run for run in runs if run.config["init"]["std"] == std], ARMS)
            ends = {
                norm: band(axis, [by_epoch(run) for run in own], arm_colour(norm)) for norm, own in found.arms.items()
            }
            axis.set_title(f"std {std:.2g}")
            axis.set_ylim(0, 102)
            axis.axhline(100 * LEARNED, color="#767676", linestyle=(0, (5, 3)), linewidth=1, zorder=1.5)
            if place % columns == 0:
                axis.set_ylabel("accuracy, %")
            if place % columns == columns - 1 or place == len(stds) - 1:
                label_ends(axis, [(end, label(norm, found.arms[norm]), arm_colour(norm)) for norm, end in ends.items()])
            if place >= len(stds) - columns:
                axis.set_xlabel("epoch")
        text = (
            f"{found.caption()} Every weight from N(0, std²). Training accuracy of the batches of an epoch; dashed: "
            "80 %. Lines: medians over the seeds, bands: ranges; crosses, or a dot where all did: diverged."
        )
        entitle(
            figure, "Sixteen sizes of the initial weights" if len(stds) == 16 else "Sizes of the initial weights", text
        )
    return figure


def by_epoch(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """(epochs, mean accuracy in %), of each epoch; of the last one, as far as the run came."""
    values = run.series("train/accuracy")[1]
    means = [values[start : start + BATCHES].mean() for start in range(0, len(values), BATCHES)]
    return np.arange(1, len(means) + 1), 100 * np.array(means)
