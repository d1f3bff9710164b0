"""Santurkar et al. 2018, figure 3(b): covariate shift in the deep linear network at lr 1e-7."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.claims import Claim, Verdict
from normscope.criteria import difference, of_reference, ratio
from normscope.figures import panels
from normscope.figures.arms import shown
from normscope.figures.look import entitle, new_figure
from normscope.quantities import median_of
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("none", "batch")
LAYERS = ("layer9", "layer17")

S3A = Claim(
    "S3a",
    "deep linear network, lr 1e-7, layers 9 and 17: the median of ||G - G'|| is at least 50 times as large with "
    "BatchNorm, the cosine of G and G' without it at least 0.98, and with it at least 0.1 less (the ratio of layer 9 "
    "is shown)",
    "1,700 and 2,300 times; cosines 1.00 without, 0.55 and 0.04 with (read off figure 3b)",
    "x with BatchNorm",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """S3a: what the text says of the deep linear network holds at this learning rate alone."""
    shifts = [ratio(median_of(f"covariate_shift/{layer}/l2"), worst=np.inf, at_least=50) for layer in LAYERS]
    cosines = [median_of(f"covariate_shift/{layer}/cosine") for layer in LAYERS]
    kept = [of_reference(cosine, worst=-np.inf, tie=0.0, at_least=0.98) for cosine in cosines]
    turned = [difference(cosine, worst=-np.inf, at_most=-0.1) for cosine in cosines]
    return verdicts(S3A, runs, [*shifts, *kept, *turned])


def plot(runs: Sequence[Run]) -> "Figure":
    """The training loss; for two layers the length of the shift, and the angle by which the gradient turns."""
    found = shown(runs, ARMS)
    with new_figure(12.4, 13.4) as figure:
        axes = figure.subplots(3, 2)
        panels.quantity(
            axes[0, 0], found.arms, "train/loss", "sum of squared errors", "Training loss, median over the run"
        )
        axes[0, 1].set_visible(False)
        for row, layer in zip(axes[1:], LAYERS, strict=True):
            panels.covariate_shift(row, found.arms, layer, least=-1.05)
        text = (
            f"{found.caption()} G: the gradient of a layer's weights; G′: the same after all earlier layers have made "
            "their update. Values in the titles: medians over the run. At lr 1e-6 the two networks do not "
            "differ in this."
        )
        entitle(figure, "Covariate shift in a product of matrices", text)
    return figure
