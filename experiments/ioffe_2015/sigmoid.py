"""Ioffe & Szegedy 2015, section 4.2.2: a deep network of sigmoids trains with BatchNorm only."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from normscope.claims import Claim, Verdict
from normscope.criteria import difference, of_reference, of_treated
from normscope.figures import panels
from normscope.figures.arms import shown
from normscope.figures.look import entitle, new_figure
from normscope.quantities import final, in_points
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("none", "batch")
CHANCE = 10.0  # percent
FAILS, TRAINS = CHANCE + 2, CHANCE + 30  # percent: at most, at least

I8 = Claim(
    "I8",
    "a deep network of sigmoids: the final test accuracy is at most 2 points above chance without BatchNorm, and at "
    "least 30 above with it",
    "chance (1 in 1,000) without, 69.8 % with (ImageNet, Inception)",
    "points more with BatchNorm",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """I8; a run that diverged has learned nothing."""
    tested = in_points(final("test/accuracy"))
    gain = difference(tested, worst=CHANCE, at_least=TRAINS - FAILS)
    fails = of_reference(tested, worst=CHANCE, tie=50, at_most=FAILS)
    trains = of_treated(tested, worst=CHANCE, tie=FAILS, at_least=TRAINS)
    return verdicts(I8, runs, [gain, fails, trains])


def plot(runs: Sequence[Run]) -> "Figure":
    """Training loss and test accuracy."""
    found = shown(runs, ARMS)
    with new_figure(12.4, 5.6) as figure:
        axes = figure.subplots(1, 2)
        panels.loss(axes[0], found.arms)
        panels.accuracy(axes[1], found.arms, {})
        entitle(figure, "VGG11 with sigmoids", found.caption())
    return figure
