"""Santurkar et al. 2018, figures 5, 10, 11(b) and 13: the deep linear network and its normalisations."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.claims import Claim, Verdict
from normscope.criteria import difference, of_treated, ratio
from normscope.figures import panels
from normscope.figures.arms import shown
from normscope.figures.lines import paper_line
from normscope.figures.look import GREY, entitle, new_figure
from normscope.quantities import final, median_of, within
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("none", "batch", "l1", "l2", "l_infinity")
EARLY = 1500  # steps, S4d
EDGE = (1.8, 2.2)  # S4d, of beta x lr: the edge of stability, 2
BETA_TIMES_LR = median_of("gradient_predictiveness/relative/eta_1")  # ‖∇L(θ − lr g) − g‖ / ‖g‖: beta at η = lr

S4D_EARLY = Claim(
    "S4d, gradient",
    f"deep linear network, lr 1e-6: the largest change of the gradient along itself, over the first {EARLY:,} steps, "
    "is at least 1,000 times as large without BatchNorm",
    "10^10 times (2e16 against 2e6; read off figure 11b)",
    "x without BatchNorm",
)
S4D_EDGE = Claim(
    "S4d, beta",
    "deep linear network with BatchNorm, lr 1e-6: the median over the run of beta x lr, beta between the weights and "
    f"one gradient step on, lies in {EDGE[0]} to {EDGE[1]}, at the edge of stability",
    "2.01 (read off figure 11b)",
    "beta x lr",
)
S5B = Claim(
    "S5b",
    "deep linear network, lr 1e-6: the mean of log10 of the training loss over the run is lower than without "
    "normalisation",
    "with each of them (read off figure 5b: at step 5,000 the loss is 2,892 without, 529 to 1,053 with)",
    "lower, log10",
)
S5C = Claim(
    "S5c",
    "deep linear network, lr 1e-6: the l1 norm ends at a lower loss than BatchNorm (one run in the paper)",
    "97 against 479 (read off figure 5b)",
    "x BatchNorm's loss",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """S4d in its two halves, S5b for each normalisation, S5c. L-infinity is reported, and thought fragile."""
    at_the_edge = [
        of_treated(BETA_TIMES_LR, worst=np.inf, tie=np.inf, at_most=EDGE[1]),
        of_treated(BETA_TIMES_LR, worst=np.inf, tie=-np.inf, at_least=EDGE[0]),
    ]
    found = [
        *verdicts(
            S4D_EARLY, runs, [ratio(largest_change, worst=np.inf, at_least=1e3)], reference="batch", treated="none"
        ),
        *verdicts(S4D_EDGE, runs, at_the_edge, reference="batch", treated="batch"),
    ]
    lower = [difference(mean_log_loss, worst=np.inf, at_most=np.nextafter(0, -1))]
    for norm in ARMS[1:]:
        own = Claim(f"S5b, {norm}", S5B.statement, S5B.paper, S5B.unit)
        found += verdicts(own, runs, lower, treated=norm)
    less = [ratio(final("train/loss"), worst=np.inf, at_most=np.nextafter(1, 0))]
    return [*found, *verdicts(S5C, runs, less, reference="batch", treated="l1")]


def largest_change(run: Run) -> float:
    """The largest change of the gradient along itself, over the early steps; infinity where it overflowed."""
    steps, values = run.series("gradient_predictiveness/max")
    early = values[steps <= EARLY]
    return float(np.where(np.isfinite(early), early, np.inf).max()) if len(early) else np.nan


def mean_log_loss(run: Run) -> float:
    """The mean of log10 of the training loss."""
    losses = within(run, "train/loss")[1]
    return float(np.log10(losses).mean()) if len(losses) else np.nan


def plot(runs: Sequence[Run]) -> "Figure":
    """Training loss; the band of the loss and of the gradient along itself; beta x lr."""
    found = shown(runs, ARMS)
    arms = found.arms
    with new_figure(13.4, 9.4) as figure:
        axes = figure.subplots(2, 2)
        panels.quantity(axes[0, 0], arms, "train/loss", "sum of squared errors", "Training loss, median over the run")
        bands = {norm: arms[norm] for norm in ("none", "batch") if norm in arms}
        for axis, name, unit, beginning in (
            (axes[0, 1], "loss_landscape/max", "largest loss along the gradient", "Up to 30 lr ahead the loss is"),
            (axes[1, 0], "gradient_predictiveness/max", "largest ‖Δ gradient‖", "and the gradient changes by"),
        ):
            panels.quantity(axis, bands, name, unit, beginning)
        panels.quantity(
            axes[1, 1],
            arms,
            "gradient_predictiveness/relative/eta_1",
            "effective β x lr, one step ahead",
            "β x lr, median over the run",
        )
        paper_line(axes[1, 1], 2.0, "edge of stability: 2", GREY)
        text = (
            f"{found.caption()} Loss and gradient along the gradient: the largest over steps of 1/100, 1/10, 1, 10 and "
            "30 learning rates. β x lr = ‖∇L(θ − lr g) − g‖ / ‖g‖."
        )
        entitle(figure, "A product of 25 matrices", text)
    return figure
