"""Santurkar et al. 2018, figure 3: internal covariate shift by gradients, with and without BatchNorm."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.chance import at_chance
from normscope.claims import Claim, Verdict
from normscope.criteria import ratio
from normscope.figures import panels
from normscope.figures.arms import shown
from normscope.figures.look import entitle, new_figure
from normscope.quantities import median_of, median_until_learned
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RUNS = "santurkar_2018/vgg"
ARMS = ("none", "batch")
LAYERS = ("layer5", "layer10")
EARLY = 0.2  # of the run
CONVERGED, WINDOW = 0.05, 10  # nats, the mean of so many logged batches: then the gradients vanish, and their shift

S3B = Claim(
    "S3b",
    "VGG, lr 0.1, first fifth of the run, until the training loss falls below 0.05: the median of ||G - G'|| is at "
    "least as large with BatchNorm as without, in layers 5 and 10 (the ratio of layer 5 is shown)",
    "1.39 and 1.71 times (read off figure 3a)",
    "x with BatchNorm",
)
S3D = Claim(
    "S3d",
    "VGG, lr 0.1, first fifth of the run: the median training loss is lower with BatchNorm, all the same",
    "lower throughout the first third (figure 3a)",
    "x the loss",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """S3b and S3d; S3a is of the deep linear network, S3c of lr 0.01."""
    shifts = [
        median_until_learned(f"covariate_shift/{layer}/l2", 0, EARLY, loss=CONVERGED, window=WINDOW) for layer in LAYERS
    ]
    return [
        *verdicts(S3B, runs, [ratio(shift, worst=np.inf, at_least=1) for shift in shifts], unless=at_chance(0, EARLY)),
        *verdicts(S3D, runs, [ratio(median_of("train/loss", 0, EARLY), worst=np.inf, at_most=np.nextafter(1, 0))]),
    ]


def plot(runs: Sequence[Run]) -> "Figure":
    """The training loss; for two layers the length of the shift, and the angle by which the gradient turns."""
    found = shown(runs, ARMS)
    layers = found.run.layers("covariate_shift/{layer}/l2")
    early, late = layers[0], layers[-1]
    with new_figure(12.4, 13.4) as figure:
        axes = figure.subplots(3, 2)
        panels.loss(axes[0, 0], found.arms)
        panels.accuracy(axes[0, 1], found.arms, {})
        for row, layer in zip(axes[1:], (early, late), strict=True):
            panels.covariate_shift(row, found.arms, layer)
        text = (
            f"{found.caption()} G: the gradient of a layer's weights at the step's weights and batch; G′: the same "
            "after all earlier layers have made the optimizer's update. Cosine 1: they do not turn it. Values in "
            "the titles: medians over the run."
        )
        entitle(figure, "Internal covariate shift, by definition 2.1", text)
    return figure
