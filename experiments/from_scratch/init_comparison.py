"""Deep Learning from Scratch, chapter 6: MNIST from three initialisations."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.claims import Claim, Verdict
from normscope.criteria import difference, of_treated
from normscope.figures import panels
from normscope.figures.arms import shown
from normscope.figures.look import entitle, new_figure
from normscope.quantities import mean_of
from normscope.runs.reader import Run
from normscope.verdicts import medians, verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("gaussian", "lecun_normal", "he_normal")
CHANCE, NEAR = math.log(10), 0.05
AT_THE_END = mean_of("train/loss", 0.95)

C2_STAYS = Claim(
    "C2, std 0.01",
    "784-100x4-10, ReLU, weights with std 0.01: after 2,000 updates the training loss (mean of the last 5 %) is still "
    f"within {100 * NEAR:g} % of ln 10",
    "it stays where it was (the book's figure, from memory)",
    "x ln 10",
)
C2_XAVIER = Claim(
    "C2, Xavier",
    "784-100x4-10, ReLU: after 2,000 updates the training loss is lower from Xavier's initialisation than from std "
    "0.01",
    "lower (the book's figure, from memory)",
    "nats",
)
C2_HE = Claim(
    "C2, He",
    "784-100x4-10, ReLU: and from He's lower than from Xavier's",
    "lower (the book's figure, from memory)",
    "nats",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """C2 in its three parts."""

    def of_chance(run: Run) -> float:
        return AT_THE_END(run) / CHANCE

    still = [
        of_treated(of_chance, worst=math.inf, at_least=1 - NEAR),
        of_treated(of_chance, worst=math.inf, tie=math.inf, at_most=1 + NEAR),
    ]
    lower = [difference(AT_THE_END, worst=math.inf, at_most=np.nextafter(0, -1))]
    fixed, xavier, he = ARMS
    return [
        *verdicts(C2_STAYS, runs, still, arm="init", reference=fixed, treated=fixed),
        *verdicts(
            C2_XAVIER, runs, lower, arm="init", reference=fixed, treated=xavier,
            notes=medians("std 0.01", "Xavier", AT_THE_END),
        ),
        *verdicts(
            C2_HE, runs, lower, arm="init", reference=xavier, treated=he, notes=medians("Xavier", "He", AT_THE_END)
        ),
    ]  # fmt: skip


def plot(runs: Sequence[Run]) -> "Figure":
    """The training loss from each initialisation."""
    found = shown(runs, ARMS, arm="init")
    with new_figure(9, 6.6) as figure:
        axis = figure.subplots()
        panels.loss(axis, found.arms)
        axis.set_title("")
        text = (
            f"{found.caption()} One std: 0.01 in every layer; LeCun: √(1/n), the book calls it Xavier's; He: √(2/n); "
            "n: the fan-in; biases 0. Running means of the logged batches; lines: medians over the seeds, bands: "
            "ranges."
        )
        entitle(figure, "MNIST from three initialisations", text)
    return figure
