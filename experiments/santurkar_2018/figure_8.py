"""Santurkar et al. 2018, figure 8: how far the moments of the layers' inputs move."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.claims import Claim, Verdict
from normscope.criteria import ratio
from normscope.figures import panels
from normscope.figures.arms import shown
from normscope.figures.grids import spread_out
from normscope.figures.look import entitle, new_figure
from normscope.quantities import median_of
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RUNS = "santurkar_2018/vgg"
ARMS = ("none", "batch", "noisy_batch")
LAYERS = ("layer2", "layer9", "layer13")

S6_LESS = Claim(
    "S6, BatchNorm",
    "VGG, lr 0.1: the median over the run of |mean(t+1) - mean(t)| of a layer's inputs is smaller with BatchNorm than "
    "without, in layers 2, 9 and 13 (the ratio of layer 2 is shown)",
    "0.056, 0.008 and about 0 times (read off figure 8a)",
    "x without BatchNorm",
)
S6_MORE = Claim(
    "S6, noise",
    "VGG, lr 0.1: and larger with noisy BatchNorm than without any",
    "8.5, 4.1 and 26 times (read off figure 8a)",
    "x without BatchNorm",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """S6: BatchNorm below the standard network, noisy BatchNorm above it."""
    drift = [median_of(f"moments/{layer}/mean_drift") for layer in LAYERS]
    below = [ratio(quantity, worst=np.inf, at_most=np.nextafter(1, 0)) for quantity in drift]
    above = [ratio(quantity, worst=np.inf, at_least=np.nextafter(1, 2)) for quantity in drift]
    return [*verdicts(S6_LESS, runs, below), *verdicts(S6_MORE, runs, above, treated="noisy_batch")]


def plot(runs: Sequence[Run]) -> "Figure":
    """Three layers: the change of mean and variance in one step, and their distance from the start."""
    found = shown(runs, ARMS)
    measured = found.run.layers("moments/{layer}/mean_drift")
    layers = [layer for layer in LAYERS if layer in measured] if LAYERS[-1] in measured else spread_out(measured, 3)
    with new_figure(15.6, 14.4) as figure:
        rows = (
            ("mean_drift", "|Δ mean| in one step"),
            ("variance_drift", "|Δ variance| in one step"),
            ("mean_from_start", "|mean − mean at step 0|"),
            ("variance_from_start", "|variance − at step 0|"),
        )
        axes = figure.subplots(len(rows), len(layers), squeeze=False)
        for row, (name, unit) in zip(axes, rows, strict=True):
            for axis, layer in zip(row, layers, strict=True):
                panels.quantity(axis, found.arms, f"moments/{layer}/{name}", unit, "")
                axis.set_title(layer)
        text = (
            f"{found.caption()} Mean and variance of each unit over the batch, of what enters the non-linearity (with "
            "BatchNorm: its output); the mean of the absolute changes over the units of a layer. Absolute "
            "changes compare layers of different scales: without BatchNorm a deep layer's inputs are small at first, "
            "and so are their changes."
        )
        entitle(figure, "How far the moments of the layers' inputs move", text)
    return figure
