"""Verdicts on claims about pairs of runs, put together from criteria."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from normscope.claims import Claim, Part, Verdict, judge, not_run
from normscope.criteria import Criterion
from normscope.families import families
from normscope.pairs import ARM, Pairs, pairs
from normscope.quantities import Quantity
from normscope.statistics import median

if TYPE_CHECKING:
    from normscope.runs.reader import Run


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
    unless: Callable[["Run"], str] = lambda run: "",
    notes: Callable[[Pairs], Sequence[str]] = lambda group: (),
) -> list[Verdict]:
    """Judge a claim in every setting of the runs: a pair holds if it meets every criterion.

    Args:
        criteria: the effect that is reported is the first one's number.
        arm, reference, treated: the group whose option differs within a pair, and the two options; the same option
            twice pairs each of its runs with itself, for claims that compare with a number.
        over: the setting that is swept within an arm, if the claim is about all its values; the quantities are then of
            a `Family`.
        unless: why a run that has not diverged cannot show what is claimed, "" if it can; its pair is left out.
        notes: what to say of a setting's pairs beside the verdict.
    Returns:
        A verdict for each scale and setting; one that says "not run" for a scale that has no run of either arm.
    """
    found = []
    for scale in sorted({run.scale for run in runs}):
        own = [run for run in runs if run.scale == scale]
        groups = pairs(own if over is None else families(own, over), arm, reference, treated)
        found += [_judged(claim, group, criteria, unless, notes) for group in groups] or [
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
    claim: Claim,
    group: Pairs,
    criteria: Sequence[Criterion],
    unless: Callable[["Run"], str],
    notes: Callable[[Pairs], Sequence[str]],
) -> Verdict:
    kept, rows, remarks = [], [], list(group.remarks)
    for pair in group.pairs:
        reasons = [reason for run in pair if run.status != "diverged" and (reason := unless(run))]
        if reasons:
            remarks.append(f"seed {pair[0].seed}: {' and '.join(reasons)}, not used")
            continue
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
        Part(column, criterion.holds, criterion.opposes, criterion.tie)
        for column, criterion in zip(columns, criteria, strict=True)
    ]
    return judge(claim, told, columns[0], parts, tie=criteria[0].tie, bound="<=" if bounds else "", notes=notes(told))
