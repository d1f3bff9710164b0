"""Brock et al. 2021: at which rates a network without norms trains, with and without adaptive clipping."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from normscope.claims import Claim, Verdict
from normscope.criteria import difference, ratio
from normscope.families import count, largest
from normscope.figures.lines import label_ends, paper_line
from normscope.figures.look import GREY, entitle, new_figure
from normscope.figures.swept import over_setting, shown_families
from normscope.quantities import median_of, unless_diverged
from normscope.runs.reader import Run
from normscope.verdicts import medians, verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARM, ARMS = "regularizer", ("none", "adaptive_clipping")
NAMES = {"none": "without clipping", "adaptive_clipping": "adaptive clipping"}
OVER = "optimizer.lr"
CHANCE = math.log(10)
MARGIN = 0.1  # nats below chance, over the last tenth of the run
AT_THE_END = median_of("train/loss", 0.9, 1)
TOP = 1.2 * CHANCE  # of the figure: no height says more than that nothing was learnt
TRAINS = f"(over the last tenth of the run the median loss is {MARGIN} nats below ln 10)"
PAPER = "clipped, networks without norms train at larger batches and rates (figure 2; no number for this)"

RANGE = Claim(
    "Brock, range",
    "VGG11 without norms: of the learning rates 0.003, 0.01, 0.03, 0.1, 0.3, 1 and 3 more train with adaptive clipping "
    f"{TRAINS}",
    PAPER,
    "rates more",
)
LARGEST = Claim(
    "Brock, largest",
    "and the largest rate that trains is larger by a step of the sweep or more, 3 times",
    PAPER,
    "x the rate",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """How many of the rates train, and the largest that does."""

    def judged(claim: Claim, criterion, of) -> list[Verdict]:  # type: ignore[no-untyped-def]
        notes = medians("without", "with clipping", of)
        none, clipped = ARMS
        return verdicts(claim, runs, [criterion], arm=ARM, reference=none, treated=clipped, over=OVER, notes=notes)

    rates, rate = count(trains), largest(trains)
    return [
        *judged(RANGE, difference(rates, worst=-math.inf, at_least=1), rates),
        *judged(LARGEST, ratio(rate, worst=0.0, at_least=2.9), rate),  # 3 but for rounding
    ]


def trains(run: Run) -> bool:
    """Whether the loss has fallen visibly below that of guessing at the end of the run."""
    return AT_THE_END(run) <= CHANCE - MARGIN


def height(run: Run) -> float:
    """Where a run stands in the figure."""
    return min(TOP, unless_diverged(AT_THE_END, TOP)(run))


def plot(runs: Sequence[Run]) -> "Figure":
    """The loss at the end over the learning rates."""
    found = shown_families(runs, ARMS, over=OVER, arm=ARM)
    found = replace(found, arms={NAMES[name]: own for name, own in found.arms.items()})
    with new_figure(9.6, 6.4) as figure:
        axis = figure.subplots()
        ends = over_setting(axis, found.arms, height)
        axis.set_ylim(0, 1.05 * TOP)
        paper_line(axis, CHANCE, "", GREY)
        axis.set(xlabel="learning rate", ylabel="training loss at the end, nats")
        label_ends(axis, ends)
        text = (
            f"{found.caption()} Median of the loss over the last tenth of the run. Lines: medians over the seeds, "
            f"points: each seed; a run that diverged or ends higher stands at {TOP:.2f}. Dashed: "
            f"guessing, ln 10 = {CHANCE:.3f}."
        )
        entitle(figure, "Which rates train a network without norms", text)
    return figure
