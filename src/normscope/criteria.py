"""Claims about pairs of runs, put together from what is measured of a run and how far the two must be apart."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from normscope.claims import Claim, Part, Verdict, judge, not_run
from normscope.families import families
from normscope.pairs import ARM, Pairs, pairs
from normscope.quantities import Quantity
from normscope.statistics import median

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


def medians(reference: str, treated: str, quantity: Quantity) -> Callable[[Pairs], Sequence[str]]:
    """A note on a verdict: the medians of both arms, e.g. "median 0.1022 standard, 0.5079 normalised"."""

    def notes(group: Pairs) -> Sequence[str]:
        found = [[quantity(pair[place]) for pair in group.pairs] for place in (0, 1)]
        return [f"median {median(found[0]):.4g} {reference}, {median(found[1]):.4g} {treated}"] if group.pairs else []

    return notes


def verdicts(
    claim: Claim,
    runs: "Sequence[Run]",
    criteria: Sequence[Criterion],
    *,
    arm: str = ARM,
    reference: str = "none",
    treated: str = "batch",
    over: str | None = None,
    notes: Callable[[Pairs], Sequence[str]] = lambda group: (),
) -> list[Verdict]:
    """Judge a claim in every setting of the runs: a pair holds if it meets every criterion.

    Args:
        criteria: the effect that is reported is the first one's number.
        arm, reference, treated: the group whose option differs within a pair, and the two options; the same option
            twice pairs each of its runs with itself, for claims that compare with a number.
        over: the setting that is swept within an arm, if the claim is about all its values; the quantities are then of
            a `Family`.
        notes: what to say of a setting's pairs beside the verdict.
    Returns:
        A verdict for each scale and setting; one that says "not run" for a scale that has no run of either arm.
    """
    found = []
    for scale in sorted({run.scale for run in runs}):
        own = [run for run in runs if run.scale == scale]
        groups = pairs(own if over is None else families(own, over), arm, reference, treated)
        found += [_judged(claim, group, criteria, notes) for group in groups] or [
            not_run(
                claim,
                scale,
                "no run with " + " or ".join(f"{arm}={name}" for name in dict.fromkeys((reference, treated))),
            )
        ]
    return found


def measured(group: Pairs, quantity: Quantity, worst: float) -> tuple[Pairs, list[tuple[float, float]]]:
    """Measure both runs of every pair; a diverged run gets the worst value that there is, and is told of.

    Args:
        quantity: run -> number, nan where the run's series cannot tell.
        worst: infinity or -infinity, whichever is worse.
    Returns:
        The pairs that could be measured, and their (reference, treated) values.
    """
    kept, values, remarks = [], [], list(group.remarks)
    for pair in group.pairs:
        found = [worst if run.status == "diverged" else quantity(run) for run in pair]
        if any(math.isnan(value) for value in found):
            remarks.append(f"seed {pair[0].seed}: what is measured is not there, not used")
            continue
        kept.append(pair)
        values.append((found[0], found[1]))
        remarks += [f"seed {run.seed}: {run.folder.name} diverged" for run in pair if run.status == "diverged"]
    return replace(group, pairs=tuple(kept), remarks=tuple(remarks)), values


def _judged(
    claim: Claim, group: Pairs, criteria: Sequence[Criterion], notes: Callable[[Pairs], Sequence[str]]
) -> Verdict:
    kept, rows, remarks = [], [], list(group.remarks)
    for pair in group.pairs:
        row = [criterion.of(*pair) for criterion in criteria]
        if any(value is None for value in row):
            remarks.append(f"seed {pair[0].seed}: what is measured is not there, not used")
            continue
        kept.append(pair)
        rows.append(row)
        remarks += [f"seed {run.seed}: {run.folder.name} diverged" for run in pair if run.status == "diverged"]
    ties = sum(math.isnan(float(row[0])) for row in rows)  # type: ignore[arg-type]
    if ties:
        remarks.append(f"{ties} of {len(kept)} pairs are a tie: no evidence")
    bounds = sum(criteria[0].is_bound(*pair) for pair in kept)
    if bounds:
        remarks.append(f"in {bounds} of {len(kept)} pairs the other run never gets there, the ratio is a bound")
    told = replace(group, pairs=tuple(kept), remarks=tuple(dict.fromkeys(remarks)))
    columns = [[float(row[place]) for row in rows] for place in range(len(criteria))]  # type: ignore[arg-type]
    parts = [
        Part(column, criterion.holds, criterion.opposes) for column, criterion in zip(columns, criteria, strict=True)
    ]
    return judge(claim, told, columns[0], parts, tie=criteria[0].tie, bound="<=" if bounds else "", notes=notes(told))


def _of_one(
    place: int, quantity: Quantity, worst: float, tie: float | None, at_least: float | None, at_most: float | None
) -> Criterion:
    threshold = at_most if at_least is None else at_least
    opposite = threshold if tie is None else tie
    return Criterion(lambda *pair: _told(quantity, pair[place], worst), opposite, at_least, at_most)  # type: ignore[arg-type]


def _told(quantity: Quantity, run: "Run", worst: float) -> float | None:
    value = worst if run.status == "diverged" else quantity(run)
    return None if math.isnan(value) else value
