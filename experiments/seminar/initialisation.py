"""The seminar: BatchNorm against the plateau of PyTorch's default initialisation, and He's weights against it."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from normscope.claims import Claim, Verdict
from normscope.criteria import times_the_steps
from normscope.errors import UsageError
from normscope.figures import panels
from normscope.figures.arms import fullest
from normscope.figures.look import entitle, new_figure
from normscope.quantities import steps_until_below
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("none", "batch")
INITS = {"default": "PyTorch's default weights", "he_normal": "He's weights"}
CHANCE = math.log(10)
LEFT, WINDOW = 0.1, 10  # nats below chance, running mean of so many logged batches

K5 = Claim(
    "K5",
    f"VGG11 without BatchNorm, lr 0.01: the running mean of the loss leaves chance (by {LEFT} nats) in at most half "
    "the steps from He's weights",
    "the plateau disappears or shortens (the talk: BatchNorm lowers the sensitivity to initialisation)",
    "x the steps",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """K5, on the runs without BatchNorm."""
    plain = [run for run in runs if run.choices.get("model/norm") == "none"]
    leaving = times_the_steps(steps_until_below("train/loss", CHANCE - LEFT, WINDOW), at_most=0.5)
    return verdicts(K5, plain, [leaving], arm="init", reference="default", treated="he_normal")


def plot(runs: Sequence[Run]) -> "Figure":
    """The loss with and without BatchNorm, from either initialisation.

    Raises:
        UsageError: if no run has ended.
    """
    found = {init: fullest([run for run in runs if run.choices.get("init") == init], ARMS) for init in INITS}
    shown = {init: own for init, own in found.items() if own is not None}
    if not shown:
        raise UsageError("no run with init=default or he_normal has ended: nothing to draw; let the sweep go on")
    with new_figure(12.4, 5.6) as figure:
        axes = figure.subplots(1, len(shown), squeeze=False)[0]
        for axis, (init, own) in zip(axes, shown.items(), strict=True):
            panels.loss(axis, own.arms)
            axis.set_title(f"{INITS[init]}.\n{axis.get_title(loc='left')}")
        captions = [replace(own, arm="init").caption() for own in shown.values()]
        entitle(figure, "Two initialisations, with and without BatchNorm", " ".join(dict.fromkeys(captions)))
    return figure
