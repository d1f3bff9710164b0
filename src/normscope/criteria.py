"""What is measured of a pair of runs, and the threshold that it must meet."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from normscope.quantities import Quantity

if TYPE_CHECKING:
    from normscope.runs.reader import Run

PairQuantity = Callable[["Run", "Run"], float | None]  # (reference, treated) -> None: cannot be told; nan: a tie


@dataclass(frozen=True)
class Criterion:
    """A number of each pair and the threshold that it must meet.

    Attributes:
        of: (reference, treated) -> number.
        tie: the number at which the two runs are alike; beyond it, away from the threshold, a pair opposes the claim.
        at_least, at_most: the threshold, exactly one of them; one that lies beyond the tie allows some of the opposite.
        is_bound: whether a pair's number is only known to be at most that.
    """

    of: PairQuantity
    tie: float
    at_least: float | None = None
    at_most: float | None = None
    is_bound: Callable[["Run", "Run"], bool] = lambda reference, treated: False

    def __post_init__(self) -> None:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError(f"a criterion has one threshold: at_least ({self.at_least}) or at_most ({self.at_most})")

    def holds(self, value: float) -> bool:
        """Whether a pair's number meets the threshold."""
        return value >= self.at_least if self.at_least is not None else value <= self.at_most  # type: ignore[operator]

    def opposes(self, value: float) -> bool:
        """Whether it points the other way, and misses the threshold."""
        beyond = value < self.tie if self.at_least is not None else value > self.tie
        return beyond and not self.holds(value)


def difference(
    quantity: Quantity, *, worst: float, at_least: float | None = None, at_most: float | None = None
) -> Criterion:
    """The treated run's number minus the reference's.

    Args:
        worst: what a diverged run counts as, infinity or -infinity; two that diverged are a tie.
    """

    def of(reference: "Run", treated: "Run") -> float | None:
        ours, theirs = _told(quantity, treated, worst), _told(quantity, reference, worst)
        if ours is None or theirs is None:
            return None
        return math.nan if ours == theirs and math.isinf(ours) else ours - theirs

    return Criterion(of, 0.0, at_least, at_most)


def ratio(
    quantity: Quantity, *, worst: float, at_least: float | None = None, at_most: float | None = None
) -> Criterion:
    """The treated run's number divided by the reference's, both positive.

    Args:
        worst: what a diverged run counts as, infinity or 0; two that diverged are a tie.
    """

    def of(reference: "Run", treated: "Run") -> float | None:
        ours, theirs = _told(quantity, treated, worst), _told(quantity, reference, worst)
        if ours is None or theirs is None:
            return None
        if ours == theirs:
            return 1.0 if 0 < ours < math.inf else math.nan
        return ours / theirs if theirs else math.inf

    return Criterion(of, 1.0, at_least, at_most)


def times_the_steps(steps: Quantity, *, at_most: float) -> Criterion:
    """The steps that the treated run takes to get somewhere divided by the reference's.

    A reference that never gets there, or diverges, takes more steps than the pair has made: these stand for it, and the
    ratio is a bound. Two runs that never get there are a tie.

    Args:
        steps: the steps that a run takes, infinity if it never gets there.
    """

    def never(run: "Run") -> bool:
        return _told(steps, run, math.inf) == math.inf

    def of(reference: "Run", treated: "Run") -> float | None:
        ours, theirs = _told(steps, treated, math.inf), _told(steps, reference, math.inf)
        if ours is None or theirs is None:
            return None
        if theirs == math.inf:
            return math.nan if ours == math.inf else ours / max(run.summary["step"] for run in (reference, treated))
        return ours / theirs if theirs else math.nan if ours == 0 else math.inf

    return Criterion(
        of, 1.0, at_most=at_most, is_bound=lambda reference, treated: never(reference) and not never(treated)
    )


def of_reference(
    quantity: Quantity,
    *,
    worst: float,
    tie: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Criterion:
    """The reference's number by itself.

    Args:
        worst: what a diverged run counts as.
        tie: where the opposite begins; the threshold if None, an infinity where no number is the opposite.
    """
    return _of_one(0, quantity, worst, tie, at_least, at_most)


def of_treated(
    quantity: Quantity,
    *,
    worst: float,
    tie: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Criterion:
    """The treated run's number by itself; arguments as of `of_reference`."""
    return _of_one(1, quantity, worst, tie, at_least, at_most)


def _of_one(
    place: int, quantity: Quantity, worst: float, tie: float | None, at_least: float | None, at_most: float | None
) -> Criterion:
    threshold = at_most if at_least is None else at_least
    opposite = threshold if tie is None else tie
    return Criterion(lambda *pair: _told(quantity, pair[place], worst), opposite, at_least, at_most)  # type: ignore[arg-type]


def _told(quantity: Quantity, run: "Run", worst: float) -> float | None:
    value = worst if run.status == "diverged" else quantity(run)
    return None if math.isnan(value) else value
