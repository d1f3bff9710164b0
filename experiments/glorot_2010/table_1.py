"""Glorot & Bengio 2010, table 1: test error on CIFAR-10 from two initialisations, each at its best learning rate."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.claims import Claim, Verdict
from normscope.criteria import difference
from normscope.errors import UsageError
from normscope.families import families, members
from normscope.figures.lines import band, label_ends, paper_line
from normscope.figures.look import arm_colour, arm_name, entitle, new_figure
from normscope.figures.titles import label
from normscope.pairs import pairs
from normscope.quantities import final
from normscope.runs.reader import Run
from normscope.verdicts import medians, verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("standard", "glorot_uniform")
OVER = "optimizer.lr"
PAPER = {"standard": 55.9, "glorot_uniform": 52.92}

G5 = Claim(
    "G5",
    "5 x 1000 tanh on CIFAR-10, each at the learning rate that is best on the validation images: the test error is "
    "lower from the normalised initialisation",
    "3 points (52.92 % against 55.9 %, table 1)",
    "points",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """G5, at each arm's best learning rate, which is chosen on the validation split."""
    lower = [difference(error, worst=math.inf, at_most=np.nextafter(0, -1))]
    notes = medians("standard", "normalised", error)
    return verdicts(G5, runs, lower, arm="init", reference=ARMS[0], treated=ARMS[1], over=OVER, notes=notes)


def best(family: Run) -> Run | None:
    """The run with the highest accuracy on the validation images at its end; None if no run has one."""
    scores = {lr: final("validation/accuracy")(run) for lr, run in members(family).items() if run.status == "finished"}
    known = {lr: score for lr, score in scores.items() if not math.isnan(score)}
    return members(family)[max(known, key=lambda lr: known[lr])] if known else None


def error(family: Run) -> float:
    """The test error of the best run in percent; infinite if all have diverged, nan if none has a validation score."""
    if all(run.status == "diverged" for run in members(family).values()):
        return math.inf
    run = best(family)
    return math.nan if run is None else 100 * (1 - final("test/accuracy")(run))


def plot(runs: Sequence[Run]) -> "Figure":
    """The test error over the steps, of each arm at the learning rate that is best on the validation images.

    Raises:
        UsageError: if no seed has all its runs, or none has a validation score.
    """
    groups = [group for group in pairs(families(runs, OVER), "init", *ARMS) if group.pairs]
    if not groups:
        raise UsageError(f"no seed has runs from {' and '.join(ARMS)} at all its learning rates: nothing to draw yet")
    group = max(groups, key=lambda group: len(group.pairs))
    chosen = {arm: [best(pair[place]) for pair in group.pairs] for place, arm in enumerate(ARMS)}
    arms = {arm: [run for run in found if run is not None] for arm, found in chosen.items()}
    if not any(arms.values()):
        raise UsageError("no run has a validation accuracy to choose its learning rate by: run with dataset.validation")
    with new_figure(9.4, 6.6) as figure:
        axis = figure.subplots()
        ends = {arm: band(axis, [of_test(run) for run in own], arm_colour(arm)) for arm, own in arms.items()}
        for arm, value in PAPER.items():
            paper_line(axis, value, f"paper: {value:g} %", arm_colour(arm), below=True)
        axis.set_xlabel("step")
        axis.set_ylabel("test error, %")
        axis.xaxis.set_major_formatter("{x:,.0f}")
        label_ends(axis, [(end, label(arm, arms[arm]), arm_colour(arm)) for arm, end in ends.items()])
        rates = "; ".join(
            f"{arm_name(arm)} " + ", ".join(f"{run.config['optimizer']['lr']:g}" for run in own)
            for arm, own in arms.items()
        )
        width = next(run for own in arms.values() for run in own).config["model"].get("width")
        counts = ", ".join(f"n = {len(own)} {arm_name(arm)}" for arm, own in arms.items())
        text = (
            f"Scale {group.scale}: {group.setting}, width {width}; {counts}. Each seed at the learning rate "
            f"that is best on its validation images: {rates}. Lines: medians over the seeds, bands: ranges."
        )
        entitle(figure, "Tanh on CIFAR-10 from two initialisations", text)
    return figure


def of_test(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """(steps, test error in %)."""
    steps, values = run.series("test/accuracy")
    return steps, 100 * (1 - values)
