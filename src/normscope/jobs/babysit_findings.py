"""From the table of a babysitting job to what it says."""

from dataclasses import dataclass

import numpy as np

from normscope.figures.babysitting import Babysat
from normscope.jobs.babysit_verdicts import (
    RATIOS,
    Setting,
    cause_of,
    initial_finding,
    penalty_finding,
    rate_finding,
    ratio_finding,
    subset_finding,
)
from normscope.surveys.learning_rates import fall, fate
from normscope.surveys.survey import Finding
from normscope.surveys.trials import places

INITIAL, PENALTY, SUBSET, RATE = 1.0, 2.0, 3.0, 4.0  # the checks, as the table's first column has them
MEASURED = ("found", "expected", "accuracy", "updates", "update_ratio", "update_ratio_least", "update_ratio_most")


@dataclass(frozen=True)
class Judged:
    """A table that has been read: the verdicts, what they come to in words and numbers, and what is to be drawn."""

    findings: tuple[Finding, ...]
    sentence: str
    numbers: dict[str, float]
    picture: Babysat


def judged(setting: Setting, table: np.ndarray) -> Judged:
    """Read the table of a finished job.

    Args:
        table: (points, columns): check, at, MEASURED, then the losses.
    """
    rows = {check: table[table[:, 0] == check] for check in (INITIAL, PENALTY, SUBSET, RATE)}
    tried = rows[RATE][np.argsort(rows[RATE][:, 1])]
    first = 2 + len(MEASURED)
    still, curves, guess = tried[0, first:], tried[1:, first:], float(tried[0, 3])
    rates, ratios = tried[1:, 1], tried[1:, 6:9]
    fates = [fate(curve, still) for curve in curves]
    falls = [fall(curve, still) for curve in curves]
    chosen = int(np.argmin(abs(rates - setting.lr)))
    subset = rows[SUBSET][0]
    start = initial_finding(setting, *rows[INITIAL][0, 2:4])
    cause = cause_of(start, fates, chosen)
    found = (
        start,
        *(penalty_finding(row[1], row[2], row[3], loss=row[first]) for row in rows[PENALTY]),
        rate_finding(setting, rates, fates, falls, chosen, cause),
        subset_finding(setting, subset[first], subset[2], subset[4], int(subset[5]), cause),
        ratio_finding(ratios[chosen], cause),
    )
    sick = [finding.check for finding in found if finding.verdict == "look here"]
    numbers = {
        "initial/loss": rows[INITIAL][0, 2],
        "initial/guess": rows[INITIAL][0, 3],
        **{f"penalty/{row[1]:g}": row[2] for row in rows[PENALTY]},
        "tiny_subset/loss": subset[2],
        "tiny_subset/accuracy": subset[4],
        "tiny_subset/updates": subset[5],
        "learning_rate/fall": falls[chosen],
        "learning_rate/best": rates[int(np.argmax(falls))],
        "update_ratio": ratios[chosen, 0],
        "look_here": len(sick),
    }
    updates = int(subset[5])
    kept = places(updates, setting.steps)
    picture = Babysat(
        lr=setting.lr,
        rates=rates,
        fates=fates,
        curves=curves,
        still=still,
        guess=guess,
        ratios=ratios,
        band=RATIOS,
        subset_updates=np.array(kept),
        subset=subset[first : first + len(kept)],
        learnt_below=setting.learnt_below,
        images=setting.subset,
        size=setting.size,
    )
    sentence = f"look here: {', '.join(sick)}" if sick else "healthy, as far as minutes can tell"
    return Judged(found, sentence, {name: float(value) for name, value in numbers.items()}, picture)
