"""Santurkar et al. 2018, figure 1: BatchNorm speeds training up, and its layers' inputs look no more stable."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.claims import Claim, Verdict
from normscope.criteria import difference, times_the_steps
from normscope.figures import panels
from normscope.figures.arms import shown
from normscope.figures.grids import spread_out
from normscope.figures.look import entitle, new_figure
from normscope.quantities import final, in_points, mean_of, steps_until
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RUNS = "santurkar_2018/vgg"
ARMS = ("none", "batch")
RIDGES = ("layer3", "layer11")  # of figure 1(c)
LEARNED, WINDOW = 0.9, 10  # S1a: the running mean over so many logged batches

S1A = Claim(
    "S1a",
    "VGG, lr 0.1: the running mean of ten logged batches reaches 90 % training accuracy in at most 0.7 times the steps "
    "with BatchNorm",
    "0.51 times (2,500 against 4,900 steps; read off figure 1a)",
    "x the steps",
)
S1B = Claim(
    "S1b",
    "VGG, lr 0.1: the mean training accuracy over the run is at least 3 points higher with BatchNorm",
    "6.2 points (94.2 against 88.0; read off figure 1a)",
    "points",
)
S1D = Claim(
    "S1d",
    "VGG, lr 0.1: the final test accuracy is at least 1 point higher with BatchNorm",
    "2.9 points (82.9 against 80.0; read off figure 1b)",
    "points",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """S1a, S1b and S1d; S1c is of lr 0.5, in vgg_fast."""
    return [
        *verdicts(S1A, runs, [times_the_steps(steps_until("train/accuracy", LEARNED, WINDOW), at_most=0.7)]),
        *verdicts(S1B, runs, [difference(in_points(mean_of("train/accuracy")), worst=-np.inf, at_least=3)]),
        *verdicts(S1D, runs, [difference(in_points(final("test/accuracy")), worst=-np.inf, at_least=1)]),
    ]


def plot(runs: Sequence[Run]) -> "Figure":
    """Training and test accuracy; histograms of what two layers put out."""
    found = shown(runs, ARMS)
    with new_figure(12.4, 9.2) as figure:
        axes = figure.subplots(2, 2)
        panels.loss(axes[0, 0], found.arms)
        panels.accuracy(axes[0, 1], found.arms, {})
        layers = [f"layer{number}" for number in range(1, 20) if found.run.histograms(f"activations/layer{number}")]
        early, late = [layer for layer in RIDGES if layer in layers][:2] if RIDGES[1] in layers else ends(layers)
        panels.activations(axes[1, 0], found.arms, early, "Early")
        panels.activations(axes[1, 1], found.arms, late, "Late")
        text = (
            f"{found.caption()} The paper's run: 90 % training accuracy at step 3,300 without and 1,600 with "
            "BatchNorm, test accuracy 80.0 and 82.9 % at step 15,000. Histograms: of the first seed, "
            "every ridge of one height, without the lowest bin (ReLU's zeros), whose share at the last step is written "
            "beside."
        )
        entitle(figure, f"{str(found.run.choices['model']).upper()} at learning rate 0.1", text)
    return figure


def ends(layers: Sequence[str]) -> list[str]:
    """An early and a late layer of a network that has not the paper's depth."""
    return spread_out(layers, 4)[1:3] if len(layers) > 3 else [*layers, "layer1", "layer2"][:2]
