"""Santurkar et al. 2018, figures 5(a), 6 and 12: the VGG with l_p norms in the place of BatchNorm."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.chance import at_chance
from normscope.claims import Claim, Verdict
from normscope.criteria import ratio, times_the_steps
from normscope.figures import panels
from normscope.figures.arms import shown
from normscope.figures.look import entitle, new_figure
from normscope.quantities import median_log_ratio, median_of, steps_until
from normscope.runs.reader import Run
from normscope.step_by_step import share_wider
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("none", "batch", "l1", "l2", "l_infinity")
LEARNED, WINDOW = 0.9, 10
MIDDLE = (1 / 30, 2 / 3)  # of the run: steps 500 to 10,000 of the paper's 15,000
LAYER = "layer11"  # figure 6
MOSTLY = 0.7  # S4a: at this share of the probes
PUBLISHED = {"l1": 1600, "l2": 1800, "l_infinity": 1600}  # steps to 90 %; 3,300 without a norm


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """S5a, S5d and S5e for each norm."""
    steps = [times_the_steps(steps_until("train/accuracy", LEARNED, WINDOW), at_most=0.8)]
    band = ("loss_landscape/max", "loss_landscape/min", *MIDDLE)
    rougher = [
        ratio(median_log_ratio(*band), worst=np.inf, at_least=1.5),
        share_wider(*band, at_least=MOSTLY),
        ratio(median_of("gradient_predictiveness/max", *MIDDLE), worst=np.inf, at_least=1.5),
    ]
    moved = [ratio(median_of(f"activation_distance/{LAYER}/w1"), worst=np.inf, at_least=1)]
    found = []
    for norm, published in PUBLISHED.items():
        faster = Claim(
            f"S5a, {norm}",
            "VGG, lr 0.1: the running mean of ten logged batches reaches 90 % training accuracy in at most 0.8 times "
            "the steps of the network without a norm",
            f"{published / 3300:.2f} times ({published:,} against 3,300 steps; read off figure 5a)",
            "x the steps",
        )
        smoother = Claim(
            f"S5d, {norm}",
            "VGG, lr 0.1, steps 1/30 to 2/3 of the run: the medians of log(max/min) of the loss along the gradient and "
            "of the largest change of the gradient are at least 1.5 times as large without a norm (shown: the first), "
            "and the first is the larger one at 70 % of the probes or more",
            "as smooth as BatchNorm (figure 12)",
            "x without a norm",
        )
        shifting = Claim(
            f"S5e, {norm}",
            f"VGG, lr 0.1: the distance between {LAYER}'s distributions at two probes in a row (W1, before the "
            "non-linearity, median over the run) is at least as large as without a norm",
            "a larger shift of the distribution than without a norm (text, figure 6; no number)",
            "x without a norm",
        )
        found += verdicts(faster, runs, steps, treated=norm)
        found += verdicts(smoother, runs, rougher, reference=norm, treated="none", unless=at_chance(*MIDDLE))
        found += verdicts(shifting, runs, moved, treated=norm)
    return found


def plot(runs: Sequence[Run]) -> "Figure":
    """Training loss, test accuracy, and what lies along the gradient."""
    found = shown(runs, ARMS)
    with new_figure(13.4, 9.6) as figure:
        axes = figure.subplots(2, 2)
        panels.quantity(
            axes[0, 0], found.arms, "train/loss", "training loss, nats", "Training loss, median over the run"
        )
        panels.accuracy(axes[0, 1], found.arms, {})
        for axis, name, unit, beginning in (
            (axes[1, 0], "loss_landscape/max", "largest loss along the gradient, nats", "Up to 4 lr ahead the loss is"),
            (axes[1, 1], "gradient_predictiveness/max", "largest ‖Δ gradient‖", "and the gradient changes by"),
        ):
            panels.quantity(axis, found.arms, name, unit, beginning)
        entitle(figure, "Other norms in the place of BatchNorm", found.caption())
    return figure
