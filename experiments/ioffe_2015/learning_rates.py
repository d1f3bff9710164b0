"""Ioffe & Szegedy 2015, section 4.2, figures 2 and 3: five and thirty times the learning rate."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.claims import Claim, Verdict
from normscope.criteria import Criterion, PairQuantity
from normscope.errors import UsageError
from normscope.families import families, members
from normscope.figures.arms import fullest
from normscope.figures.look import entitle, new_figure
from normscope.figures.side_by_side import accuracies, finals, top_of
from normscope.quantities import best_mean, final, in_points, steps_until
from normscope.runs.reader import Run
from normscope.verdicts import medians, verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATE = "optimizer.lr"
FACTORS = (1, 5, 30)
WINDOW = 3  # evaluations that a speed is averaged over
CHANCE = 10.0  # percent
FAILS, TRAINS = CHANCE + 2, CHANCE + 20  # percent: at most, at least
NAMES = {"none": "without", "batch": "BN"}
COLOURS = {
    "without": "#D55E00",
    "without, x5": "#E69F00",
    "without, x30": "#CC79A7",
    "BN": "#56B4E9",
    "BN, x5": "#0072B2",
    "BN, x30": "#332288",
}

I5 = Claim(
    "I5",
    f"at five times the rate that is best without BatchNorm, the test accuracy ends at most {FAILS - CHANCE:g} points "
    f"above chance without BatchNorm; with it, at least {TRAINS - CHANCE:g} above, at five and at thirty times the "
    "rate (shown: how much more at five)",
    "parameters overflow without; 73.0 and 74.8 % with (ImageNet, Inception)",
    "points more with BatchNorm",
)
I6_SAME = Claim(
    "I6, same rate",
    "the best accuracy of the network without BatchNorm takes at most 0.6 times the steps with BatchNorm",
    "0.43 times (13.3 against 31.0 million steps to 72.2 %)",
    "x the steps",
)
I6_X5 = Claim(
    "I6, x5",
    "and fewer steps yet with BatchNorm at five times the rate",
    "0.16 times (2.1 against 13.3 million; 0.07 times those without BatchNorm)",
    "x the steps of BatchNorm",
)
I7 = Claim(
    "I7",
    "with BatchNorm, thirty times the rate ends at least at the test accuracy of five times the rate, although it "
    "takes more steps to the best accuracy of the network without BatchNorm",
    "1.8 points more (74.8 against 73.0 %), after 1.29 times the steps (2.7 against 2.1 million)",
    "points more at x30",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """I5, I6 in its two halves, I7."""
    trains = [Criterion(_score("batch", factor), tie=FAILS, at_least=TRAINS) for factor in (5, 30)]
    fails = Criterion(_score("none", 5), tie=TRAINS, at_most=FAILS)
    gain = Criterion(lambda none, batch: score(at(batch, 5)) - score(at(none, 5)), tie=0, at_least=TRAINS - FAILS)
    later = Criterion(_steps(30, 5), tie=1, at_least=np.nextafter(1, 2))
    more = Criterion(lambda none, batch: score(at(batch, 30)) - score(at(batch, 5)), tie=0, at_least=0)
    at_x30 = medians("at x30 without", "with BatchNorm", lambda family: score(at(family, 30)))
    return [
        *verdicts(I5, runs, [gain, fails, *trains], over=RATE, notes=at_x30),
        *verdicts(I6_SAME, runs, [Criterion(_steps(1), tie=1, at_most=0.6)], over=RATE),
        *verdicts(I6_X5, runs, [Criterion(_steps(5, 1), tie=1, at_most=np.nextafter(1, 0))], over=RATE),
        *verdicts(I7, runs, [more, later], over=RATE),
    ]


def at(family: Run, factor: int) -> Run | None:
    """The run at so many times the smallest rate of its family."""
    own = members(family)
    return next((run for lr, run in own.items() if math.isclose(lr, factor * min(own), rel_tol=1e-6)), None)


def score(run: Run | None) -> float:
    """The final test accuracy in percent; a run that diverged knows nothing."""
    if run is None:
        return math.nan
    return CHANCE if run.status == "diverged" else in_points(final("test/accuracy"))(run)


def steps_to_base(none: Run, run: Run | None) -> float:
    """The steps to the best accuracy without BatchNorm at the base rate; both are means of WINDOW evaluations."""
    base = at(none, 1)
    if base is None or run is None:
        return math.nan
    return steps_until("test/accuracy", best_mean("test/accuracy", WINDOW)(base), WINDOW)(run)


def plot(runs: Sequence[Run]) -> "Figure":
    """Test accuracy over the steps, and where it ends.

    Raises:
        UsageError: if no run with or without BatchNorm has ended.
    """
    found = fullest(families(runs, RATE), tuple(NAMES))
    if found is None:
        raise UsageError("no run with model/norm=none or batch has ended: nothing to draw; let the sweep go on")
    arms = {
        NAMES[norm] + (f", x{factor}" if factor > 1 else ""): [run for family in own if (run := at(family, factor))]
        for norm, own in found.arms.items()
        for factor in FACTORS
    }
    arms = {name: own for name, own in arms.items() if own}
    with new_figure(15.0, 6.2) as figure:
        curves, ends = figure.subplots(1, 2, width_ratios=(3, 2))
        accuracies(curves, arms, COLOURS, top=top_of([arms]))
        finals(ends, arms, COLOURS)
        text = (
            f"{found.caption()} x5, x30: times the smallest of these rates. Left: median and range over the seeds, a "
            "cross where a run diverged; right: a dot for each seed, the bar and the number their median."
        )
        entitle(figure, "Five and thirty times the learning rate", text)
    return figure


def _score(arm: str, factor: int) -> PairQuantity:
    return lambda none, batch: _told(score(at(none if arm == "none" else batch, factor)))


def _steps(factor: int, beside: int | None = None) -> PairQuantity:
    """The steps with BatchNorm at so many times the rate, divided by those at another, or of the base without it."""

    def ratio(none: Run, batch: Run) -> float | None:
        reference = at(none, 1) if beside is None else at(batch, beside)
        ours, theirs = steps_to_base(none, at(batch, factor)), steps_to_base(none, reference)
        if math.isnan(ours + theirs):
            return None
        return math.nan if ours == theirs == math.inf else ours / theirs

    return ratio


def _told(value: float) -> float | None:
    return None if math.isnan(value) else value
