"""What a panel says of its arms, in words: titles follow from the data."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.figures.lines import Series
from normscope.figures.look import arm_name
from normscope.statistics import median, steps_to

if TYPE_CHECKING:
    from normscope.runs.reader import Run

NEAR = 0.1  # nats: a loss so near to that of guessing has not begun to fall
WORTH_A_WORD = 0.1  # of the run: a shorter stay at chance goes unmentioned
WIDTH = 46  # characters of a title
NARROW = 13  # of a line's name: "with BatchNorm" is two lines
HARD = "\N{NO-BREAK SPACE}"


def last(curves: Sequence[Series]) -> float:
    """The median over the runs of their last finite values; nan if there are none."""
    finals = [values[np.isfinite(values)][-1] for _, values in curves if np.isfinite(values).any()]
    return float(median(finals)) if finals else math.nan


def fate(runs: "Sequence[Run]", curves: Sequence[Series], chance: float) -> str:
    """What became of an arm's loss, in words."""
    if 2 * sum(run.status == "diverged" for run in runs) > len(runs):
        return "diverges"
    final = last(curves)
    if math.isnan(final):
        return "was not measured"
    begun = float(median([steps_to(steps, -values, NEAR - chance) for steps, values in curves]))
    length = max(steps[-1] for steps, _ in curves if len(steps))
    if begun == math.inf and abs(final - chance) < NEAR:
        return "stays at chance"
    if final >= chance - NEAR:  # it rose, or dipped below chance and came back
        return f"ends at {final:.2f}"
    if WORTH_A_WORD * length < begun < math.inf:
        return f"leaves chance at step {amount(begun)}, ends at {final:.2f}"
    return f"falls to {final:.2f}"


def sentence(subject: str, fates: Mapping[str, str]) -> str:
    """E.g. "Without BatchNorm the loss stays at chance;\\nwith BatchNorm it falls to 0.43"."""
    clauses = [
        f"{arm_name(norm)} {'it' if place else subject} {what}" for place, (norm, what) in enumerate(fates.items())
    ]
    text = ";\n".join(textwrap.fill(clause, WIDTH) for clause in clauses)
    return text[:1].upper() + text[1:]


def listed(beginning: str, values: Mapping[str, str], unit: str = "") -> str:
    """E.g. "The test accuracy ends at\\n10 % without BatchNorm, 57 % with": unit and name are written out once."""
    if not values:
        return f"{beginning} ...\nnothing was measured"
    names = [
        arm_name(norm) if place == 0 else arm_name(norm).removesuffix(" BatchNorm") for place, norm in enumerate(values)
    ]
    units = [unit] + [""] * len(values)
    parts = [f"{value}{unit} {name}" for value, unit, name in zip(values.values(), units, names, strict=False)]
    return f"{beginning}\n" + textwrap.fill(", ".join(part.replace(" ", HARD) for part in parts), WIDTH).replace(
        HARD, " "
    )


def amount(value: float) -> str:
    """Two digits that count, without an exponent where that reads well."""
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        return f"{float(f'{value:.2g}'):,.10g}"
    if not math.isfinite(value):
        return "∞" if value > 0 else f"{value}"
    digits, exponent = f"{value:.0e}".split("e")
    return f"{digits}e{int(exponent)}"


def label(norm: str, runs: "Sequence[Run]") -> str:
    """The arm's name in short lines, and how many of its runs diverged."""
    diverged = sum(run.status == "diverged" for run in runs)
    return textwrap.fill(arm_name(norm), NARROW) + (f"\n{diverged} of {len(runs)} diverged" if diverged else "")
