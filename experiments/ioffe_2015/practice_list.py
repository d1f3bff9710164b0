"""Ioffe & Szegedy 2015, section 4.2.1: what else BatchNorm allows, taken back one by one."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from normscope.claims import Claim, Verdict
from normscope.criteria import difference
from normscope.figures.arms import shown
from normscope.figures.look import entitle, new_figure
from normscope.figures.side_by_side import accuracies, finals, top_of
from normscope.quantities import final, in_points
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARM = "practice"
NAMES = {  # file of the arm -> what it takes back
    "whole_list": "the whole list",
    "dropout": "dropout 40 %",
    "full_l2": "L2 penalty x5",
    "slow_decay": "decay x1/6",
    "full_distortion": "strong distortion",
}
COLOURS = dict(zip(NAMES.values(), ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00"), strict=True))
TAKEN_BACK = (  # the settings in which the arms differ
    "regularizer.dropout",
    "regularizer.l2.loss.strength",
    "regularizer.colour_jitter.data",
    "schedule.final",
)

I9 = Claim(
    "I9, L2",
    "with BatchNorm, a fifth of the L2 penalty gives a higher test accuracy at the end than the whole penalty",
    "it improves the accuracy on validation images (no number)",
    "points",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """I9 for the L2 penalty; of the other entries the paper gives no accuracy."""
    more = difference(in_points(final("test/accuracy")), worst=-math.inf, at_least=np.nextafter(0, 1))
    return verdicts(I9, by_practice(runs), [more], arm=ARM, reference="full_l2", treated="whole_list")


def by_practice(runs: Sequence[Run]) -> list[Run]:
    """The runs, with the file that they come from as a choice, and without the settings in which the files differ."""
    found = []
    for run in runs:
        config = run.config
        for key in TAKEN_BACK:
            config = without(config, key)
        choices = {group: name for group, name in run.choices.items() if group not in ("experiment", "regularizer")}
        own = str(run.choices.get("experiment")).rpartition("/")[2]
        found.append(replace(run, config=config, choices=choices | {ARM: own}))
    return found


def without(config: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A config without what stands under a dotted key."""
    first, _, rest = key.partition(".")
    kept = {name: value for name, value in config.items() if name != first}
    return {**kept, first: without(config[first], rest)} if rest and first in config else kept


def plot(runs: Sequence[Run]) -> "Figure":
    """Test accuracy over the steps, and where it ends on test and on training images."""
    found = shown(by_practice(runs), tuple(NAMES), arm=ARM)
    arms = {NAMES[arm]: own for arm, own in found.arms.items()}
    with new_figure(16.0, 6.0) as figure:
        curves, ends = figure.subplots(1, 2)
        accuracies(curves, arms, COLOURS, top=top_of([arms]))
        finals(ends, arms, COLOURS)
        text = (
            f"{replace(found, arms=arms).caption()} Left: median and range over the seeds. Right: a dot for each seed, "
            "the bar and the number their median; hollow: on training images, and the gap between the two medians."
        )
        entitle(figure, "The practice list, one entry at a time taken back", text)
    return figure
