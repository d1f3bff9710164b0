"""Deep Learning from Scratch, chapter 6: MNIST by four optimizers."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.claims import Claim, Verdict
from normscope.criteria import difference
from normscope.figures import panels
from normscope.figures.arms import shown
from normscope.figures.look import arm_name, entitle, new_figure
from normscope.quantities import mean_of
from normscope.runs.reader import Run
from normscope.verdicts import medians, verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("sgd", "momentum", "adagrad", "adam")
AT_THE_END = mean_of("train/loss", 0.95)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """C5: each of the other three ends below SGD, at the book's learning rates; no others are asked for."""
    lower = [difference(AT_THE_END, worst=math.inf, at_most=np.nextafter(0, -1))]
    return [
        verdict
        for optimizer in ARMS[1:]
        for verdict in verdicts(
            Claim(
                f"C5, {arm_name(optimizer)}",
                f"784-100x4-10, He's initialisation: after 2,000 updates the training loss (mean of the last 5 %) of "
                f"{arm_name(optimizer)} is lower than that of SGD, each at the book's learning rate",
                "SGD has the highest of the four",
                "nats",
            ),
            runs,
            lower,
            arm="optimizer",
            reference="sgd",
            treated=optimizer,
            notes=medians("SGD", arm_name(optimizer), AT_THE_END),
        )
    ]


def plot(runs: Sequence[Run]) -> "Figure":
    """The training loss of each optimizer."""
    found = shown(runs, ARMS, arm="optimizer")
    with new_figure(9, 6.6) as figure:
        axis = figure.subplots()
        panels.loss(axis, found.arms)
        axis.set_title("")
        rates = ", ".join(
            f"{arm_name(name)} {members[0].config['optimizer']['lr']:g}" for name, members in found.arms.items()
        )
        text = (
            f"{found.caption()} Learning rates: {rates}. Running means of the logged batches; lines: medians over the "
            "seeds, bands: ranges."
        )
        entitle(figure, "MNIST by four optimizers", text)
    return figure
