"""Bjorck et al. 2018: BatchNorm's gain is the larger learning rate."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from normscope.claims import Claim, Verdict
from normscope.criteria import Criterion
from normscope.families import families, members
from normscope.figures.lines import label_ends
from normscope.figures.look import entitle, new_figure
from normscope.figures.swept import over_setting, shown_families
from normscope.quantities import final, in_points
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("none", "batch")

MATCHED = Claim(
    "Bjorck",
    "VGG11: the gap in test accuracy between BatchNorm and none at the rate that is best without it is less than half "
    "of the gap between both at their own best rates (best on the validation split)",
    "at matched small rates the two train alike; BatchNorm's best comes at a rate where the other diverges",
    "x the gap",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """The gap at a matched rate against the gap at each arm's best rate."""
    shrinks = Criterion(share_of_gap, tie=1.0, at_most=0.5)
    return verdicts(MATCHED, families(runs, "optimizer.lr"), [shrinks])


def best(family: Run) -> float:
    """The learning rate with the highest final accuracy on the validation split."""
    own = members(family)
    return max(own, key=lambda lr: score(own[lr], "validation"))


def score(run: Run, split: str) -> float:
    """The final accuracy in points; a run that diverged knows nothing."""
    return 0.0 if run.status == "diverged" else in_points(final(f"{split}/accuracy"))(run)


def share_of_gap(none: Run, batch: Run) -> float | None:
    """Gap at the matched rate / gap at the best rates; a tie where BatchNorm gains nothing at its best, None where a
    run has no accuracy to choose by."""
    runs = [*members(none).values(), *members(batch).values()]
    if any(math.isnan(score(run, split)) for run in runs for split in ("validation", "test")):
        return None
    matched = best(none)
    without = score(members(none)[matched], "test")
    at_best = score(members(batch)[best(batch)], "test") - without
    return (score(members(batch)[matched], "test") - without) / at_best if at_best > 0 else math.nan


def plot(runs: Sequence[Run]) -> "Figure":
    """Test accuracy against the learning rate.

    Raises:
        UsageError: if no run has ended.
    """
    found = shown_families(runs, ARMS, over="optimizer.lr")
    with new_figure(9.6, 6.4) as figure:
        axis = figure.subplots()
        ends = over_setting(axis, found.arms, lambda run: score(run, "test"))
        axis.set_ylim(0, 100)
        axis.set(xlabel="learning rate", ylabel="test accuracy, %")
        label_ends(axis, ends)
        text = f"{found.caption()} Line: median over the seeds; points: each seed. A diverged run counts as 0 %."
        entitle(figure, "BatchNorm against none, rate by rate", text)
    return figure
