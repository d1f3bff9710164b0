"""Wu & He 2018: small batches with BatchNorm and with group normalisation."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.claims import Claim, Verdict
from normscope.criteria import difference
from normscope.families import members
from normscope.figures.lines import label_ends, paper_line
from normscope.figures.look import GREY, entitle, new_figure
from normscope.figures.swept import over_setting, shown_families
from normscope.quantities import final, in_points, unless_diverged
from normscope.runs.reader import Run
from normscope.verdicts import medians, verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("batch", "group")
OVER = "batch_size"
LARGE, SMALL = 32, 2
CHANCE = 10.0  # points: what a run that diverged knows
ACCURACY = unless_diverged(in_points(final("test/accuracy")), CHANCE)

SMALL_BATCHES = Claim(
    "Wu",
    f"VGG11: from batches of {LARGE} to batches of {SMALL}, at a rate linear in the batch, the test accuracy drops by "
    "more with BatchNorm than with group normalisation",
    "ResNet-50 on ImageNet in batches of 2: 10.6 points less error with group normalisation (abstract)",
    "points more",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """How much more BatchNorm loses."""
    more = difference(drop, worst=math.inf, at_least=np.nextafter(0, 1))
    notes = medians("points lost with group norm", "with BatchNorm", drop)
    return verdicts(SMALL_BATCHES, runs, [more], reference="group", treated="batch", over=OVER, notes=notes)


def drop(family: Run) -> float:
    """Points of test accuracy that are lost from large to small batches."""
    own = members(family)
    return ACCURACY(own[LARGE]) - ACCURACY(own[SMALL]) if {LARGE, SMALL} <= own.keys() else math.nan


def plot(runs: Sequence[Run]) -> "Figure":
    """Test accuracy over the batch sizes."""
    found = shown_families(runs, ARMS, over=OVER)
    with new_figure(9.6, 6.4) as figure:
        axis = figure.subplots()
        ends = over_setting(axis, found.arms, ACCURACY)
        sizes = list(members(next(iter(found.arms.values()))[0]))
        axis.set_xscale("log", base=2)
        axis.set_xticks(sizes, [f"{size:g}" for size in sizes], minor=False)
        axis.minorticks_off()
        axis.set_ylim(bottom=0)
        paper_line(axis, CHANCE, "guessing: 10 %", GREY)
        axis.set(xlabel="images in a batch", ylabel="test accuracy at the end, %")
        label_ends(axis, ends)
        text = (
            f"{found.caption()} The rate is that of one image: of the mean over a batch it is N times that. Lines: "
            "medians over the seeds, points: each seed; a run that diverged counts as guessing."
        )
        entitle(figure, "Small batches", text)
    return figure
