"""Numbers of a run that claims compare; each function makes one that reads a series when it is given a run.

A part of a run is named by shares of its length, so that a claim about steps 500 to 10,000 of 15,000 means the same of
a shorter run. Where a series is missing or has no value in that part, the number is nan.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from normscope.statistics import median, running_mean, steps_to

if TYPE_CHECKING:
    from normscope.runs.reader import Run

Quantity = Callable[["Run"], float]


def within(run: "Run", name: str, first: float = 0.0, last: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """(steps, values) of a series from the share `first` to the share `last` of the run's updates, both included."""
    steps, values = run.series(name)
    length = run.summary["step"]
    inside = (steps >= first * length) & (steps <= last * length)
    return steps[inside], values[inside]


def mean_of(name: str, first: float = 0.0, last: float = 1.0) -> Quantity:
    """The mean of a series over a part of the run."""
    return _summarised(name, first, last, np.mean)


def median_of(name: str, first: float = 0.0, last: float = 1.0) -> Quantity:
    """The median of a series over a part of the run."""
    return _summarised(name, first, last, median)


def median_until_learned(name: str, first: float, last: float, *, loss: float, window: int) -> Quantity:
    """The median of a series over a part of the run, no further than to the step at which the training has converged:
    where the mean of `window` logged training losses has fallen to `loss`."""

    def quantity(run: "Run") -> float:
        steps, values = within(run, name, first, last)
        learning = values[steps <= steps_until_below("train/loss", loss, window)(run)]
        return float(median(learning)) if len(learning) else math.nan

    return quantity


def percentile_of(name: str, percent: float, first: float = 0.0, last: float = 1.0) -> Quantity:
    """A percentile of a series over a part of the run."""
    return _summarised(name, first, last, lambda values: np.percentile(values, percent))


def median_log_ratio(top: str, bottom: str, first: float = 0.0, last: float = 1.0) -> Quantity:
    """The median over a part of the run of log(top / bottom), two series that were taken at the same steps."""

    def quantity(run: "Run") -> float:
        (_, above), (_, below) = (within(run, name, first, last) for name in (top, bottom))
        return float(median(np.log(above / below))) if len(above) else math.nan

    return quantity


def final(name: str) -> Quantity:
    """The last value of a series."""

    def quantity(run: "Run") -> float:
        values = run.series(name)[1]
        return float(values[-1]) if len(values) else math.nan

    return quantity


def first(name: str) -> Quantity:
    """The first value of a series: what holds at initialisation."""

    def quantity(run: "Run") -> float:
        values = run.series(name)[1]
        return float(values[0]) if len(values) else math.nan

    return quantity


def quotient(quantity: Quantity, other: Quantity) -> Quantity:
    """One number of a run divided by another; infinite where that is 0."""

    def found(run: "Run") -> float:
        value, divisor = quantity(run), other(run)
        return math.nan if math.isnan(value + divisor) else value / divisor if divisor else math.inf

    return found


def in_points(quantity: Quantity) -> Quantity:
    """A share as points of a hundred."""
    return lambda run: 100 * quantity(run)


def unless_diverged(quantity: Quantity, value: float) -> Quantity:
    """A quantity of runs that finished, and a value that stands for those that diverged."""
    return lambda run: value if run.status == "diverged" else quantity(run)


def best_mean(name: str, window: int) -> Quantity:
    """The largest mean of `window` consecutive values of a series, of all of them if there are fewer."""

    def quantity(run: "Run") -> float:
        values = run.series(name)[1]
        return float(running_mean(values, min(window, len(values))).max()) if len(values) else math.nan

    return quantity


def steps_until(name: str, threshold: float, window: int = 1) -> Quantity:
    """The first step at which the mean of the last `window` values reaches a threshold; infinity if none does."""

    def quantity(run: "Run") -> float:
        steps, values = run.series(name)
        return steps_to(steps, values, threshold, window) if len(steps) >= window else math.nan

    return quantity


def steps_until_below(name: str, threshold: float, window: int = 1) -> Quantity:
    """The first step at which the mean of the last `window` values falls to a threshold; infinity if none does."""

    def quantity(run: "Run") -> float:
        steps, values = run.series(name)
        return steps_to(steps, -values, -threshold, window) if len(steps) >= window else math.nan

    return quantity


def _summarised(name: str, first: float, last: float, summary: Callable[[np.ndarray], np.ndarray]) -> Quantity:
    def quantity(run: "Run") -> float:
        values = within(run, name, first, last)[1]
        return float(summary(values)) if len(values) else math.nan

    return quantity
