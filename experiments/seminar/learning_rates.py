"""The seminar: at how many learning rates VGG11 trains, with and without BatchNorm."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from normscope.claims import Claim, Verdict
from normscope.criteria import difference
from normscope.families import count, families
from normscope.figures.swept import rates_figure, shown_families
from normscope.quantities import median_of
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("none", "batch")
CHANCE = math.log(10)
LEFT = 0.1  # nats below chance, over the last tenth of the run

K3 = Claim(
    "K3",
    "VGG11, default init: of the learning rates 0.001, 0.003, 0.01, 0.03, 0.05 and 0.1 more leave chance with "
    f"BatchNorm (the median loss over the last tenth of the run is {LEFT} nats below ln 10)",
    "3 of 3 with, 1 of 3 without (0.001, 0.01, 0.05, 50 epochs)",
    "rates more",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """K3."""
    leaving = difference(count(leaves_chance), worst=-math.inf, at_least=1)
    return verdicts(K3, families(runs, "optimizer.lr"), [leaving])


def leaves_chance(run: Run) -> bool:
    """Whether the loss has fallen visibly below that of guessing at the end of the run."""
    return final_loss(run) < CHANCE - LEFT


def final_loss(run: Run) -> float:
    """The median of the training loss over the last tenth of the run."""
    return median_of("train/loss", 0.9, 1)(run)


def plot(runs: Sequence[Run]) -> "Figure":
    """The loss at the end of training against the learning rate, every seed a point.

    Raises:
        UsageError: if no run with or without BatchNorm has ended.
    """
    return rates_figure(
        shown_families(runs, ARMS, over="optimizer.lr"),
        final_loss,
        ylabel="training loss at the end, nats",
        top=1.15 * CHANCE,
        level=(CHANCE, f"guessing: ln 10 = {CHANCE:.3f}"),
        title="Which learning rates train VGG11",
        text="Line: median over the seeds; points: each seed. A diverged run has no point.",
    )
