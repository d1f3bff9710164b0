"""Cohen et al. 2021: gradient descent at the edge of stability, with and without BatchNorm."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from normscope.claims import Claim, Verdict
from normscope.criteria import of_treated
from normscope.figures import panels
from normscope.figures.arms import fullest, shown
from normscope.figures.lines import paper_line
from normscope.figures.look import GREY, arm_name, entitle, new_figure
from normscope.quantities import median_of
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("none", "batch")
LATE = 0.5  # the second half of the run
LOW, HIGH = 1.8, 2.5


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """λ₁ x lr near 2 in the second half of the run, for either network."""
    sharpness = median_of("curvature/lambda_lr", LATE, 1)
    near = [
        of_treated(sharpness, worst=math.inf, tie=-math.inf, at_least=LOW),
        of_treated(sharpness, worst=math.inf, tie=math.inf, at_most=HIGH),
    ]
    found = []
    for norm in ARMS:
        claim = Claim(
            f"Cohen, {norm}",
            f"full-batch gradient descent {arm_name(norm)}: the median of lambda_1 x lr over the second half of the "
            f"run lies in {LOW} to {HIGH}",
            "just above 2 (figures), with BatchNorm too",
            "lambda_1 x lr",
        )
        found += verdicts(claim, runs, near, reference=norm, treated=norm)
    return found


def plot(runs: Sequence[Run]) -> "Figure":
    """Training loss, and λ₁ x lr with its edge at 2; each network at the rate of which it has most runs."""
    found = [one for norm in ARMS if (one := fullest(runs, [norm]))] or [shown(runs, ARMS)]
    arms = {norm: members for each in found for norm, members in each.arms.items()}
    with new_figure(12.4, 6.0) as figure:
        axes = figure.subplots(1, 2)
        panels.quantity(axes[0], arms, "train/loss", "mean squared error", "Training loss, median over the run")
        panels.quantity(axes[1], arms, "curvature/lambda_lr", "λ₁ x lr", "λ₁ x lr, median over the run")
        paper_line(axes[1], 2.0, "edge of stability: 2", GREY, below=True)
        entitle(figure, "The edge of stability", " ".join(each.caption() for each in found))
    return figure
