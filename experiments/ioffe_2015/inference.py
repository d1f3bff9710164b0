"""Ioffe & Szegedy 2015, algorithm 2: the statistics of the population against running averages, at inference."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from normscope.claims import Claim, Verdict
from normscope.criteria import Criterion
from normscope.errors import UsageError
from normscope.families import families, members
from normscope.figures.arms import fullest
from normscope.figures.lines import Series, band, label_ends, paper_line
from normscope.figures.look import GREY, entitle, new_figure
from normscope.figures.side_by_side import accuracies, top_of
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARM, RUNNING, POPULATION = "regularizer", "flip", "flip+population_statistics"
RATE = "optimizer.lr"
WITHIN = 0.2  # points, at the end
EARLY = 0.2  # of the run
NAMES = {RUNNING: "running\naverages", POPULATION: "population"}
COLOURS = dict(zip(NAMES.values(), ("#E69F00", "#0072B2"), strict=True))
RATE_COLOURS = ("#009E73", "#CC79A7", "#56B4E9", "#882255")

I11_END = Claim(
    "I11, end",
    f"the test accuracies with the statistics of the population and with running averages differ by less than {WITHIN} "
    "points at the end",
    "no number: moving averages track the accuracy in training, the population's are used at inference",
    "points apart",
)
I11_EARLY = Claim(
    "I11, early",
    "they differ more, on average, over the first fifth of the run (without step 0) than at the end",
    "not said",
    "points further apart",
)
I11_FAST = Claim(
    "I11, fast",
    "they differ more, on average over the run, at the higher learning rate",
    "not said",
    "points further apart",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """I11: at the end at each rate; early against the end; the high rate against the low one."""
    apart = Criterion(at_the_end, tie=WITHIN, at_most=np.nextafter(WITHIN, 0))
    further = {"tie": 0.0, "at_least": np.nextafter(0, 1)}
    early = Criterion(lambda ours, theirs: on_average(ours, theirs, EARLY) - at_the_end(ours, theirs), **further)
    fast = Criterion(lambda *pair: by_rate(*pair)[-1] - by_rate(*pair)[0], **further)
    return [
        *verdicts(I11_END, runs, [apart], arm=ARM, reference=RUNNING, treated=POPULATION),
        *verdicts(I11_EARLY, runs, [early], arm=ARM, reference=RUNNING, treated=POPULATION),
        *verdicts(I11_FAST, runs, [fast], arm=ARM, reference=RUNNING, treated=POPULATION, over=RATE),
    ]


def distances(running: Run, population: Run) -> Series:
    """(steps, points of test accuracy) by which two runs of one training are apart, without step 0."""
    (steps, ours), (others, theirs) = (run.series("test/accuracy") for run in (running, population))
    scored, mine, yours = np.intersect1d(steps[steps > 0], others, return_indices=True)
    return scored, 100 * np.abs(theirs[yours] - ours[steps > 0][mine])


def at_the_end(running: Run, population: Run) -> float:
    """How far they are apart at the last score; nan where the training diverged, and there is no end to speak of."""
    apart = distances(running, population)[1]
    ended = running.status == population.status == "finished"
    return float(apart[-1]) if ended and len(apart) else math.nan


def on_average(running: Run, population: Run, until: float = 1.0) -> float:
    """How far they are apart on average, up to a share of the run."""
    steps, apart = distances(running, population)
    early = apart[steps <= until * running.summary["step"]]
    return float(early.mean()) if len(early) else math.nan


def by_rate(running: Run, population: Run) -> list[float]:
    """How far two families are apart on average, from the lowest to the highest rate."""
    others = members(population)
    return [on_average(run, others[lr]) for lr, run in members(running).items()]


def plot(runs: Sequence[Run]) -> "Figure":
    """The test accuracy by either statistics at each rate, and how far the two are apart.

    Raises:
        UsageError: if no run has ended.
    """
    found = fullest(families(runs, RATE), tuple(NAMES), arm=ARM)
    if found is None:
        raise UsageError(f"no run with regularizer=[{RUNNING}] has ended: nothing to draw; let the sweep go on")
    found = replace(found, arms={NAMES[arm]: own for arm, own in found.arms.items()})
    rates = list(members(found.run))
    columns = [{name: [members(family)[lr] for family in own] for name, own in found.arms.items()} for lr in rates]
    with new_figure(8.0 + 5.0 * len(rates), 6.0) as figure:
        *scores, difference = figure.subplots(1, len(rates) + 1)
        for axis, lr, arms in zip(scores, rates, columns, strict=True):
            accuracies(axis, arms, COLOURS, top=top_of(columns))
            axis.set_title(f"lr {lr:g}")
        ends = []
        for lr, arms, colour in zip(rates, columns, RATE_COLOURS, strict=False):
            curves = [distances(*pair) for pair in zip(*arms.values(), strict=False)] if len(arms) == 2 else []
            ends.append((band(difference, curves, colour), f"lr {lr:g}", colour))
        difference.set_title("How far the two are apart")
        difference.set(xlabel="step", ylabel="points of test accuracy", ylim=(0, None))
        difference.xaxis.set_major_formatter("{x:,.0f}")
        paper_line(difference, WITHIN, f"I11: {WITHIN} at the end", GREY)
        label_ends(difference, ends)
        text = f"{found.caption()} Both score one and the same training. Lines: medians over the seeds; bands: range."
        entitle(figure, "Inference: the population's statistics or running averages", text)
    return figure
