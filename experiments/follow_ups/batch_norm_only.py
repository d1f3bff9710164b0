"""Frankle et al. 2021: of a random ResNet only the norms' scales and shifts learn, or as many other weights."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from normscope.claims import Claim, Verdict, at_paper_scale
from normscope.criteria import difference, of_treated
from normscope.errors import UsageError
from normscope.figures import panels
from normscope.figures.arms import Shown, fullest
from normscope.figures.look import entitle, new_figure
from normscope.pairs import option
from normscope.quantities import final, in_points
from normscope.runs.reader import Run
from normscope.verdicts import medians, verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARM = "regularizer"
PARTS = {"norms_only": "with BatchNorm alone", "random_weights_only": "with random weights alone"}
GAIN = 10.0  # points
LEAST, MOST, FEW = 0.2, 0.5, 0.05  # of all γ: about a third; fewer than the last say the opposite
SWITCHED_OFF = final("norm_scales/switched_off")
TOO_SHORT = "γ begins at 1, and so short a run moves it by hundredths: only the paper's length can switch a channel off"

ALONE = Claim(
    "Frankle, norms",
    f"a ResNet of random weights: the test accuracy is at least {GAIN:g} points higher where only γ and β learn than "
    "where as many random weights do",
    "82 % on CIFAR-10 with γ and β alone (abstract), far above as many random parameters",
    "points",
)
OFF = Claim(
    "Frankle, switched off",
    f"and where only γ and β learn, {100 * LEAST:g} to {100 * MOST:g} % of all γ end within 0.01 of 0",
    "about a third of the features are disabled (abstract)",
    "of all scales",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """What γ and β alone reach, and how many channels they switch off; the latter is decided at the paper's length."""
    norms, others = (arm_of(runs, part) for part in PARTS)
    accuracy = in_points(final("test/accuracy"))
    share = [
        of_treated(SWITCHED_OFF, worst=0.0, tie=FEW, at_least=LEAST),
        of_treated(SWITCHED_OFF, worst=0.0, tie=math.inf, at_most=MOST),
    ]
    return [
        *verdicts(
            ALONE, runs, [difference(accuracy, worst=-math.inf, at_least=GAIN)],
            arm=ARM, reference=others, treated=norms, notes=medians("random weights", "BatchNorm", accuracy),
        ),
        *(
            at_paper_scale(found, TOO_SHORT)
            for found in verdicts(OFF, runs, share, arm=ARM, reference=norms, treated=norms)
        ),
    ]  # fmt: skip


def arm_of(runs: Sequence[Run], part: str) -> str:
    """The list of regularizers that ends with a part, as runs have it."""
    return next((found for run in runs if (found := str(option(run, ARM))).endswith(part)), part)


def plot(runs: Sequence[Run]) -> "Figure":
    """Training loss, test accuracy, and the share of channels that are switched off."""
    found = in_words(runs)
    with new_figure(17, 6) as figure:
        loss, accuracy, off = figure.subplots(1, 3)
        panels.loss(loss, found.arms)
        panels.accuracy(accuracy, found.arms, {})
        own = {name: runs for name, runs in found.arms.items() if name == PARTS["norms_only"]}
        panels.quantity(
            off, own, "norm_scales/switched_off", "share of all γ, %", "Scales within 0.01 of 0, %", factor=100
        )
        entitle(figure, "What the norms learn in a random network", found.caption())
    return figure


def in_words(runs: Sequence[Run]) -> Shown:
    """The arms of one figure under the names that it gives them.

    Raises:
        UsageError: if no run has ended.
    """
    found = fullest(runs, [arm_of(runs, part) for part in PARTS], arm=ARM)
    if found is None:
        raise UsageError(
            "no run with norms_only or random_weights_only has ended: nothing to draw; let the sweep go on"
        )
    named = {next(PARTS[part] for part in PARTS if arm.endswith(part)): own for arm, own in found.arms.items()}
    return replace(found, arms=named)
