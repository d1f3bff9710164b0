"""What is said of a published claim when it was measured.

A pair holds if it meets every threshold of the claim, and opposes if it points the other way. The claim is reproduced
if the median over the pairs holds and the pairs that hold pass the one-sided sign test at 0.05 (5 of 5, 7 of 8);
contradicted if likewise for the opposite; else undecided, as it always is below 5 pairs. Between the threshold and the
opposite (the right direction, but too weak) it is undecided however many pairs there are.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from normscope.pairs import Pairs
from normscope.statistics import median, paired_bootstrap, sign_test

FEWEST = 5  # pairs: four that agree have a sign test p of 0.06
LEVEL = 0.05


@dataclass(frozen=True)
class Claim:
    """A sentence that can be measured, with its threshold in it.

    Attributes:
        name: e.g. K1; statement: with the threshold that was fixed beforehand.
        paper: what the source reports, in its own numbers.
        unit: of the effect, e.g. points, nats, x (a ratio).
    """

    name: str
    statement: str
    paper: str
    unit: str


@dataclass(frozen=True)
class Part:
    """One number of each pair and what the claim says of it; a nan is a tie: it neither holds nor opposes.

    Attributes:
        values: one a pair.
        holds: number -> whether it meets the claim's threshold.
        opposes: number -> whether it points the other way; a number may do neither.
        tie: what a nan counts as in the median: 0, or 1 of a ratio.
    """

    values: Sequence[float]
    holds: Callable[[float], bool]
    opposes: Callable[[float], bool]
    tie: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """A claim, what was measured, and what follows.

    Attributes:
        claim, statement, paper, unit: as in `Claim`.
        effect: median over the pairs; nan where there is none. low, high: its 95 % bootstrap interval.
        n, holds: pairs, and how many of them meet the threshold.
        scale, setting: of the runs; another scale or setting has a verdict of its own.
        verdict: reproduced, contradicted, undecided or not run.
        note: why it is undecided, what was left out, which values are bounds.
        effects: (seed, effect) of every pair.
        bound: "<=" where the effect is only known to be at most that, else "".
    """

    claim: str
    statement: str
    paper: str
    effect: float
    low: float
    high: float
    n: int
    holds: int
    scale: str
    verdict: str
    note: str = ""
    setting: str = ""
    unit: str = ""
    effects: tuple[tuple[int, float], ...] = ()
    bound: str = ""


def judge(
    claim: Claim,
    group: Pairs,
    effects: Sequence[float],
    parts: Sequence[Part],
    *,
    tie: float,
    bound: str = "",
    notes: Sequence[str] = (),
) -> Verdict:
    """Say whether pairs bear a claim out; a pair holds if every part does, and opposes if any does.

    Args:
        group: the pairs; its remarks go into the note.
        effects: the number that is reported, one a pair; nan is a tie, and counts as `tie` (0, or 1 of a ratio).
        bound: "<=" if some effects are upper bounds.
    Raises:
        ValueError: if there is not one effect, and one value of every part, for each pair.
    """
    _check_lengths(claim, group, [effects, *(part.values for part in parts)])
    verdict, holding, why = _decided(parts, len(group.pairs))
    ranked, known = _with_ties_as(tie, effects), not all(math.isnan(effect) for effect in effects)
    low, high = paired_bootstrap(ranked) if known else (math.nan, math.nan)
    return Verdict(
        claim.name,
        claim.statement,
        claim.paper,
        effect=float(median(ranked)) if known else math.nan,
        low=low,
        high=high,
        n=len(group.pairs),
        holds=holding,
        scale=group.scale,
        verdict=verdict,
        note="; ".join(text for text in (why, *notes, *group.remarks) if text),
        setting=group.setting,
        unit=claim.unit,
        effects=tuple(zip(group.seeds, (float(effect) for effect in effects), strict=True)),
        bound=bound if known else "",
    )


def not_run(claim: Claim, scale: str, note: str) -> Verdict:
    """The verdict on a claim that no run of that scale is about; the note says what it needs."""
    return Verdict(
        claim.name, claim.statement, claim.paper, math.nan, math.nan, math.nan, 0, 0, scale, "not run", note,
        unit=claim.unit,
    )  # fmt: skip


def at_paper_scale(verdict: Verdict, why: str) -> Verdict:
    """The verdict, left open at any scale but the paper's; why a shorter run cannot give it goes into the note."""
    if verdict.scale == "paper" or verdict.verdict not in ("reproduced", "contradicted"):
        return verdict
    return replace(verdict, verdict="undecided", note="; ".join(filter(None, (why, verdict.note))))


def decides(agreeing: int, n: int) -> bool:
    """Whether so many of n pairs decide: 5 of 5, 6 of 6, 7 of 7, 7 of 8, ..."""
    return n >= FEWEST and sign_test(agreeing, n) <= LEVEL


def _check_lengths(claim: Claim, group: Pairs, columns: Sequence[Sequence[float]]) -> None:
    for values in columns:
        if len(values) != len(group.pairs):
            raise ValueError(
                f"{claim.name}: {len(values)} values for {len(group.pairs)} pairs; give one a pair, nan for a tie"
            )


def _decided(parts: Sequence[Part], n: int) -> tuple[str, int, str]:
    """The verdict, how many pairs hold, and why it is undecided."""
    holding = sum(all(part.holds(part.values[pair]) for part in parts) for pair in range(n))
    opposing = sum(any(part.opposes(part.values[pair]) for part in parts) for pair in range(n))
    if n < FEWEST:
        return "undecided", holding, f"{n or 'no'} pair{'' if n == 1 else 's'}, and fewer than {FEWEST} decide nothing"
    middles = [(part, _middle(part)) for part in parts]
    if all(part.holds(middle) for part, middle in middles):
        if decides(holding, n):
            return "reproduced", holding, ""
        return "undecided", holding, f"the median meets the threshold, but only {holding} of {n} pairs do"
    if any(part.opposes(middle) for part, middle in middles):
        if decides(opposing, n):
            return "contradicted", holding, ""
        return "undecided", holding, f"the median points the other way, but only {opposing} of {n} pairs do"
    return "undecided", holding, "the median misses the threshold without pointing the other way"


def _with_ties_as(tie: float, values: Sequence[float]) -> np.ndarray:
    array = np.asarray(values, dtype=float)
    return np.where(np.isnan(array), tie, array)


def _middle(part: Part) -> float:
    """The median; of one at either infinity, a tie."""
    middle = float(median(_with_ties_as(part.tie, part.values)))
    return part.tie if math.isnan(middle) else middle
