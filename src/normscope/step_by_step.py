"""Criteria on two runs that were probed at the same steps."""

import math

import numpy as np

from normscope.criteria import Criterion
from normscope.quantities import within
from normscope.runs.reader import Run


def share_wider(top: str, bottom: str, first: float, last: float, *, at_least: float) -> Criterion:
    """At which share of the steps top / bottom is larger in the treated run than in the reference.

    A diverged run is the wider one at every step; two that diverged are a tie.

    Args:
        top, bottom: two positive series that were taken at the same steps.
        first, last: the part of the run that counts, as shares of its updates.
        at_least: the threshold; less than half of the steps are the opposite.
    """

    def of(reference: Run, treated: Run) -> float | None:
        lost = [run.status == "diverged" for run in (reference, treated)]
        if any(lost):
            return math.nan if all(lost) else float(lost[1])
        (steps, ours), (others, theirs) = widths(treated), widths(reference)
        _, here, there = np.intersect1d(steps, others, return_indices=True)
        return float((ours[here] > theirs[there]).mean()) if len(here) else None

    def widths(run: Run) -> tuple[np.ndarray, np.ndarray]:
        (steps, above), (_, below) = (within(run, name, first, last) for name in (top, bottom))
        return steps, above / below

    return Criterion(of, tie=0.5, at_least=at_least)
