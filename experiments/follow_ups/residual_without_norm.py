"""Fixup and SkipInit: residual networks that train without normalisation."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from normscope.claims import Claim, Verdict
from normscope.criteria import Criterion
from normscope.figures import panels
from normscope.figures.arms import shown
from normscope.figures.look import entitle, new_figure
from normscope.quantities import median_of
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GROUP = "model/residual"
ARMS = ("add", "fixup", "skip_init")
CHANCE = math.log(10)
MARGIN = 0.3  # nats below chance, over the last tenth of the run


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """Each remedy against plain addition, from He's weights, at lr 0.1."""
    found = []
    for remedy, name, source in (("fixup", "Fixup", "1901.09321"), ("skip_init", "SkipInit", "2002.10444")):
        claim = Claim(
            name,
            f"a deep residual network without norms at lr 0.1: with {name} the loss ends at least {MARGIN} nats below "
            "chance, and with plain sums it diverges or ends no more than that below",
            f"trains as with BatchNorm; plain He initialisation does not (arXiv:{source})",
            "nats below chance",
        )
        trains = Criterion(lambda plain, other: below_chance(other), tie=0.0, at_least=MARGIN)
        fails = Criterion(lambda plain, other: below_chance(plain), tie=math.inf, at_most=MARGIN)
        found += verdicts(claim, runs, [trains, fails], arm=GROUP, reference="add", treated=remedy)
    return found


def below_chance(run: Run) -> float:
    """How far the loss ends below that of guessing; -infinity of a run that diverged."""
    return -math.inf if run.status == "diverged" else CHANCE - median_of("train/loss", 0.9, 1)(run)


def plot(runs: Sequence[Run]) -> "Figure":
    """Training loss and test accuracy."""
    found = shown(runs, ARMS, arm=GROUP)
    with new_figure(12.4, 5.6) as figure:
        axes = figure.subplots(1, 2)
        panels.loss(axes[0], found.arms)
        panels.accuracy(axes[1], found.arms, {})
        entitle(figure, "A residual network without norms", found.caption())
    return figure
