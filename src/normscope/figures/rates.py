"""Where runs end for each learning rate, and the rate that is best there."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from normscope.figures.lines import label_ends
from normscope.quantities import final
from normscope.statistics import median

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from normscope.runs.reader import Run

SCORE = "validation/accuracy"
Rates = Mapping[float, "Sequence[Run]"]  # learning rate -> its runs


def best_rate(rates: Rates) -> float:
    """The rate with the highest validation accuracy at the end, median over its runs; a diverged run scores 0."""
    return max(sorted(rates), key=lambda lr: _typical(rates[lr]))


def by_rate(axis: "Axes", found: Mapping[str, Rates], colours: Mapping[str, str]) -> None:
    """Validation accuracy at the end for each learning rate, median and range over the seeds; a ring where it is best.

    Args:
        found: name of an arm -> its rates; colours: name of an arm -> its colour.
    """
    ends = []
    for arm, rates in found.items():
        known, best = sorted(rates), best_rate(rates)
        middle = {lr: _typical(rates[lr]) for lr in known}
        scores = [[_score(run) for run in rates[lr]] for lr in known]
        axis.fill_between(
            known, [min(own) for own in scores], [max(own) for own in scores], color=colours[arm], alpha=0.15
        )
        axis.plot(known, [*middle.values()], color=colours[arm], marker="o", markersize=5)
        axis.plot(best, middle[best], "o", color=colours[arm], markersize=13, markerfacecolor="none", markeredgewidth=2)
        ends.append((middle[known[-1]], arm, colours[arm]))
    axis.set_xscale("log")
    axis.set_ylim(bottom=0)
    axis.set_xlabel("learning rate; ring: chosen")
    axis.set_ylabel("validation accuracy at the end, %")
    label_ends(axis, ends)


def _typical(runs: "Sequence[Run]") -> float:
    return float(median([_score(run) for run in runs]))


def _score(run: "Run") -> float:
    """In percent; 0 for a run that diverged or was not scored, below all others."""
    found = final(SCORE)(run)
    return 0.0 if run.status == "diverged" or math.isnan(found) else 100 * found
