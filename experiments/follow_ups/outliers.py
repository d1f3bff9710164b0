"""Ghorbani et al. 2019: outliers of the Hessian's spectrum, with and without BatchNorm."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.claims import Claim, Verdict
from normscope.criteria import difference, ratio
from normscope.figures import panels
from normscope.figures.arms import shown
from normscope.figures.look import entitle, new_figure
from normscope.quantities import median_of
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("none", "batch")
TRAINED = 0.2  # of the run: what comes before belongs to the initial weights

OUTLIERS = Claim(
    "Ghorbani, outliers",
    "VGG11, after the first fifth of the run: the median of lambda_1 / lambda_10 of the Hessian is larger without "
    "BatchNorm",
    "large isolated eigenvalues without, none with (figures; no number)",
    "x without BatchNorm",
)
SPAN = Claim(
    "Ghorbani, span",
    "and so is the share of the squared gradient that lies in the span of the ten largest",
    "the gradient concentrates there without (figures; no number)",
    "more without BatchNorm",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """Both of the loss with BatchNorm in training mode, which is what training minimises."""
    apart = median_of("curvature/eigenvalue_ratio", TRAINED, 1)
    share = median_of("curvature/gradient_in_top_10", TRAINED, 1)
    larger = ratio(apart, worst=math.inf, at_least=np.nextafter(1, 2))
    more = difference(share, worst=math.inf, at_least=np.nextafter(0, 1))
    return [
        *verdicts(OUTLIERS, runs, [larger], reference="batch", treated="none"),
        *verdicts(SPAN, runs, [more], reference="batch", treated="none"),
    ]


def plot(runs: Sequence[Run]) -> "Figure":
    """The largest eigenvalue, how far it stands out, the gradient's share, and the loss."""
    found = shown(runs, ARMS)
    with new_figure(12.4, 9.4) as figure:
        axes = figure.subplots(2, 2)
        panels.loss(axes[0, 0], found.arms)
        for axis, name, unit, beginning in (
            (axes[0, 1], "eigenvalue_1", "λ₁", "The largest eigenvalue is"),
            (axes[1, 0], "eigenvalue_ratio", "λ₁ / λ₁₀", "It is larger than the tenth by"),
            (axes[1, 1], "gradient_in_top_10", "share of ‖g‖²", "Share of the gradient in the top ten"),
        ):
            panels.quantity(axis, found.arms, f"curvature/{name}", unit, beginning)
        entitle(figure, "Outliers of the Hessian", f"{found.caption()} Values in the titles: medians over the run.")
    return figure
