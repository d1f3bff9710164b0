"""Santurkar et al. 2018, figure 2: BatchNorm with noise behind it shifts its layers' inputs, and still trains fast.

The control of section 2.2, the same noise without BatchNorm, is one more arm: the runs with model/norm=noise.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.claims import Claim, Verdict
from normscope.criteria import difference, of_treated, ratio
from normscope.figures import panels
from normscope.figures.arms import shown
from normscope.figures.look import entitle, new_figure
from normscope.quantities import in_points, mean_of, median_of
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RUNS = "santurkar_2018/vgg"
ARMS = ("none", "batch", "noisy_batch", "noise")
LAYERS = ("layer2", "layer9", "layer13")
IN_THEORY = 1 / 3  # the mean of |Δμ| for two shifts drawn from U(-1/2, 1/2)

S2A = Claim(
    "S2a",
    "VGG, lr 0.1: the mean training accuracy over the run is at least 2 points higher with noisy BatchNorm than "
    "without",
    "4.4 points (92.4 against 88.0; read off figure 2)",
    "points",
)
S2B = Claim(
    "S2b",
    "VGG, lr 0.1: noise behind BatchNorm costs at most 4 points of mean training accuracy over the run",
    "1.8 points (94.2 against 92.4; read off figure 2)",
    "points lost",
)
S2C = Claim(
    "S2c",
    "VGG, lr 0.1: the median over the run of |mean(t+1) - mean(t)| of a layer's inputs is at least 3 times as large "
    "with noisy BatchNorm as without any, in layers 2, 9 and 13 (the ratio of layer 2 is shown)",
    "8.5, 4.1 and 26 times (read off figure 8a)",
    "x without BatchNorm",
)

S2D = Claim(
    "S2d",
    "VGG, lr 0.1, the noise without BatchNorm: the median training accuracy over the last tenth of the run is at most "
    "15 %",
    "it prevents the network from training entirely (section 2.2)",
    "%",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """S2a, S2b, S2c, S2d."""
    accuracy = in_points(mean_of("train/accuracy"))
    drifts = [ratio(median_of(f"moments/{layer}/mean_drift"), worst=np.inf, at_least=3) for layer in LAYERS]

    at_the_end = in_points(median_of("train/accuracy", 0.9, 1))

    def lost(run: Run) -> float:
        return -accuracy(run)

    return [
        *verdicts(S2A, runs, [difference(accuracy, worst=-np.inf, at_least=2)], treated="noisy_batch"),
        *verdicts(S2B, runs, [difference(lost, worst=np.inf, at_most=4)], reference="batch", treated="noisy_batch"),
        *verdicts(S2C, runs, drifts, treated="noisy_batch"),
        *verdicts(S2D, runs, [of_treated(at_the_end, worst=0, at_most=15)], treated="noise"),
    ]


def plot(runs: Sequence[Run]) -> "Figure":
    """Training loss and accuracy of the networks, and how far the inputs of three layers shift in a step."""
    found = shown(runs, ARMS)
    with new_figure(12.4, 9.2) as figure:
        axes = figure.subplots(2, 2)
        panels.loss(axes[0, 0], found.arms)
        panels.accuracy(axes[0, 1], found.arms, {})
        for axis, layer in zip(axes[1], (LAYERS[0], LAYERS[-1]), strict=True):
            panels.quantity(
                axis,
                found.arms,
                f"moments/{layer}/mean_drift",
                "|Δ mean| in one step",
                f"The inputs of {layer} shift by",
            )
        text = (
            f"{found.caption()} Noise behind BatchNorm as in the paper's algorithm 1; mean over a layer's units: "
            f"if their own means did not move at all, the noise alone would shift them by {IN_THEORY:.3f}."
        )
        entitle(figure, "Noise behind BatchNorm", text)
    return figure
