"""He et al. 2015, section 2.2: how large the signal is after 30 layers of ReLU, before training."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.claims import Claim, Verdict
from normscope.criteria import Criterion
from normscope.figures.arms import shown
from normscope.figures.depth import over_depth
from normscope.figures.look import GREY, entitle, new_figure
from normscope.quantities import first
from normscope.runs.reader import Run
from normscope.verdicts import medians, verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("he_normal", "lecun_normal")
DEPTH, FACTOR = 30, 3.0
LAST = first(f"activation_std/layer{DEPTH}")

H1 = Claim(
    "H1",
    f"{DEPTH} layers of ReLU at initialisation: the std of the last layer's activations from std √(1/n), in units of "
    f"that from He's √(2/n), is 2^-15 within a factor {FACTOR:g} (shown: by which factor it is off)",
    "2^-15 = 3.1e-5 (follows from equation 10)",
    "x off",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """H1. Both arms scale the same draws, so the ratio is 2^-15 up to rounding where the network is homogeneous."""
    near = Criterion(off, tie=FACTOR, at_most=FACTOR)
    return verdicts(
        H1, runs, [near], arm="init", reference=ARMS[0], treated=ARMS[1], notes=medians("He", "Xavier", LAST)
    )


def off(he: Run, xavier: Run) -> float | None:
    """By which factor the ratio of the two is off 2^{-depth/2}, 1 being exact; infinite of a silent network."""
    sizes = LAST(he), LAST(xavier)
    if math.isnan(sum(sizes)):
        return None
    if not all(0 < size < math.inf for size in sizes):
        return math.inf
    relative = sizes[1] / sizes[0] * 2 ** (DEPTH / 2)
    return max(relative, 1 / relative)


def plot(runs: Sequence[Run]) -> "Figure":
    """The size of signal and gradient, layer by layer."""
    found = shown(runs, ARMS, arm="init")
    with new_figure(13.4, 6.4) as figure:
        left, right = figure.subplots(1, 2)
        over_depth(left, found.arms, "activation_std/{layer}", "std", "Activations")
        over_depth(right, found.arms, "backpropagated_gradient_std/{layer}", "std, nats", "Back-propagated gradients")
        start = np.median([first("activation_std/layer1")(run) for run in found.arms.get(ARMS[1], [])] or [math.nan])
        layers = np.arange(1, DEPTH + 1)
        left.plot(layers, start * 2.0 ** (-(layers - 1) / 2), color=GREY, linestyle=(0, (5, 3)), linewidth=1.4)
        left.text(
            DEPTH / 2, start * 2.0 ** (-DEPTH / 4), "halving every two layers  ", color=GREY, ha="right", va="top"
        )
        text = (
            f"{found.caption()} He: std √(2/n); LeCun: √(1/n), which the paper calls Xavier's; n: the fan-in. Lines: "
            "medians over the seeds, bands: ranges."
        )
        entitle(figure, "Thirty layers of ReLU before training", text)
    return figure
