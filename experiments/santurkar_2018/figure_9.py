"""Santurkar et al. 2018, figure 9: what the layers of the deep linear network put out, over training."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.claims import Verdict
from normscope.figures.arms import shown
from normscope.figures.look import arm_colour, arm_name, entitle, new_figure
from normscope.figures.ridges import Histogram, ridges
from normscope.figures.titles import amount
from normscope.runs.reader import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RUNS = "santurkar_2018/deep_linear"
ARMS = ("none", "batch")
LAYERS = {"layer1": 5, "layer11": 6, "layer24": 12}  # -> about how far the paper's activations reach


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """None: the paper shows the histograms, and says nothing of them that could be judged."""
    return []


def reach(histograms: Sequence[Histogram]) -> float:
    """The largest absolute value at any step."""
    return max((float(np.abs(edges[[0, -1]]).max()) for _, edges, _ in histograms), default=np.nan)


def plot(runs: Sequence[Run]) -> "Figure":
    """A row for each layer, a column for each network: histograms at several steps, from the bottom to the top."""
    found = shown(runs, ARMS)
    first = {norm: own[0] for norm, own in found.arms.items()}
    with new_figure(6.6 * len(first), 4.2 * len(LAYERS)) as figure:
        axes = figure.subplots(len(LAYERS), len(first), squeeze=False)
        for row, (layer, published) in zip(axes, LAYERS.items(), strict=True):
            for axis, (norm, run) in zip(row, first.items(), strict=True):
                histograms = run.histograms(f"activations/{layer}")
                ridges(axis, {arm_colour(norm): histograms}, logarithmic=False)
                within = f"within ±{amount(reach(histograms))}" if histograms else "was not measured"
                axis.set_title(f"{layer} {arm_name(norm)}: {within}")
                axis.set_xlabel(f"activation of {layer} (the paper: about ±{published})")
                axis.set_ylabel("step")
        seeds = ", ".join(f"{run.seed} {arm_name(norm)}" for norm, run in first.items())
        text = (
            f"{found.caption()} Ridges: how a layer's outputs (with BatchNorm: its outputs) are distributed over some "
            "vectors of the batch, at several steps from the bottom to the top, all of one height. In the titles: the "
            f"largest at any step. Drawn: seed {seeds}."
        )
        entitle(figure, "Activations of the deep linear network", text)
    return figure
