"""He et al. 2015, table 1: the slopes that PReLU learns."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from normscope.claims import Claim, Verdict
from normscope.criteria import of_treated
from normscope.figures.arms import shown
from normscope.figures.lines import band, label_ends, paper_line
from normscope.figures.look import GREY, entitle, new_figure
from normscope.quantities import final
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHADES = ("#0072B2", "#009E73", "#E69F00", "#CC79A7")
START, PAPER = 0.25, 0.681

H4 = Claim(
    "H4",
    "small conv net with PReLU: after training the slope a of the first layer is positive",
    "0.681 (one slope a layer; 0.596 on average with one a channel), from 0.25 at the start",
    "slope",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """H4."""
    positive = [of_treated(final("slope/layer1"), worst=-math.inf, tie=0.0, at_least=5e-324)]
    return verdicts(H4, runs, positive, arm="model/activation", reference="prelu", treated="prelu")


def plot(runs: Sequence[Run]) -> "Figure":
    """The slope of each layer over the steps."""
    found = shown(runs, ["prelu"], arm="model/activation")
    members = found.arms["prelu"]
    with new_figure(9.4, 6.4) as figure:
        axis = figure.subplots()
        layers = found.run.layers("slope/{layer}")
        ends = [
            (band(axis, [run.series(f"slope/{layer}") for run in members], shade), layer, shade)
            for layer, shade in zip(layers, SHADES, strict=False)
        ]
        paper_line(axis, START, "start: 0.25", GREY)
        paper_line(axis, PAPER, "paper, first layer: 0.681", SHADES[0])
        axis.set_ylim(bottom=min(0, axis.get_ylim()[0]))
        axis.set_xlabel("step")
        axis.set_ylabel("slope a")
        label_ends(axis, ends)
        text = f"{found.caption()} Lines: medians over the seeds, bands: ranges; the paper's network has 14 layers."
        entitle(figure, "The slopes that PReLU learns", text)
    return figure
