"""Yang et al. 2019: gradients of deep networks with BatchNorm explode at their random start."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.claims import Claim, Verdict
from normscope.criteria import difference, of_treated
from normscope.figures.arms import shown
from normscope.figures.lines import label_ends
from normscope.figures.look import arm_colour, arm_name, entitle, new_figure
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("none", "batch")
IN_THEORY = math.sqrt(math.pi / (math.pi - 1))  # growth of the gradient's length a layer, ReLU, wide and large batches
LEAST, STRAIGHT = 0.1, 0.95  # slope a layer, share of the variance that a straight line explains

EXPLODING = Claim(
    "Yang",
    "50 layers of ReLU and BatchNorm at He's random weights: the logarithm of the gradient's length falls in a "
    f"straight line from the first layer to the last (R² at least {STRAIGHT}), by at least {LEAST} a layer",
    f"{math.log(IN_THEORY):.2f} a layer: a factor sqrt(pi / (pi - 1)) = {IN_THEORY:.2f} in the mean-field limit",
    "a layer, log",
)
WITHOUT = Claim(
    "Yang, without",
    "and by less without BatchNorm, from the same weights",
    "0 in the mean-field limit of He's weights",
    "a layer more with BatchNorm",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """How gradients grow towards the input."""
    steep = of_treated(slope, worst=math.inf, tie=0.0, at_least=LEAST)
    straight = of_treated(straightness, worst=0.0, tie=-math.inf, at_least=STRAIGHT)
    return [
        *verdicts(EXPLODING, runs, [steep, straight]),
        *verdicts(WITHOUT, runs, [difference(slope, worst=math.inf, at_least=LEAST)]),
    ]


def lengths(run: Run) -> np.ndarray:
    """log ‖∂L/∂W‖ of each hidden layer but the first, whose inputs are the images, at the first step."""
    layers = [layer for layer in run.layers("gradient_norm/{layer}") if layer != "head"][1:]
    return np.log([run.series(f"gradient_norm/{layer}")[1][0] for layer in layers])


def slope(run: Run) -> float:
    """How fast the logarithm of the length falls with depth."""
    found = lengths(run)
    return float(-np.polyfit(np.arange(len(found)), found, 1)[0]) if len(found) > 2 else math.nan


def straightness(run: Run) -> float:
    """The share of the variance that a straight line explains, R²."""
    found = lengths(run)
    if len(found) < 3 or not found.std():
        return math.nan
    return float(np.corrcoef(np.arange(len(found)), found)[0, 1] ** 2)


def plot(runs: Sequence[Run]) -> "Figure":
    """The gradient's length by layer, every seed a line."""
    found = shown(runs, ARMS)
    with new_figure(9.6, 6.4) as figure:
        axis = figure.subplots()
        ends = []
        for norm, members in found.arms.items():
            for run in members:
                heights = np.exp(lengths(run))
                axis.plot(np.arange(2, 2 + len(heights)), heights, color=arm_colour(norm), linewidth=1.2)
            ends.append((float(heights[-1]), arm_name(norm).replace(" ", "\n"), arm_colour(norm)))
        axis.set_yscale("log")
        axis.set(xlabel="layer", ylabel="‖gradient of its weights‖ at the start")
        label_ends(axis, ends)
        entitle(figure, "BatchNorm's gradients at a random start", f"{found.caption()} Each line is a seed.")
    return figure
