"""Glorot & Bengio 2010, figure 2: the last hidden layer of sigmoids falls silent."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.claims import Claim, Verdict
from normscope.criteria import of_treated
from normscope.errors import UsageError
from normscope.figures.arms import fullest
from normscope.figures.lines import band, label_ends, paper_line
from normscope.figures.look import GREY, entitle, new_figure
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHADES = ("#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00")  # of the layers, the last one last
SILENT, EPOCHS = 0.05, 5

G6 = Claim(
    "G6",
    f"4 and 5 layers of sigmoids, usual initialisation: the median activation of the last hidden layer falls below "
    f"{SILENT:g} within the first {EPOCHS} epochs (shown: the lowest median)",
    "it saturates at 0 at once, the others stay above 0.5; 4 layers recover about epoch 100, 5 never (figure 2)",
    "median activation",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """G6 for each depth, every run held against the number by itself."""
    falls = [of_treated(lowest, worst=math.inf, at_most=SILENT)]
    return verdicts(G6, runs, falls, arm="model/activation", reference="sigmoid", treated="sigmoid")


def lowest(run: Run) -> float:
    """The lowest median of the last hidden layer's activations within the first epochs."""
    last = f"layer{run.config['model']['hidden_layers']}"
    until = EPOCHS * updates_an_epoch(run)
    medians = [middle(edges, counts) for step, edges, counts in run.histograms(f"activations/{last}") if step <= until]
    return min(medians, default=math.nan)


def updates_an_epoch(run: Run) -> float:
    """Updates that see every training image once."""
    images = run.config["dataset"].get("train_size") or 50_000
    return images / run.config["batch_size"]


def middle(edges: np.ndarray, counts: np.ndarray) -> float:
    """The median of a histogram, as exact as its bins."""
    return float(np.interp(0.5, np.append(0, np.cumsum(counts)) / counts.sum(), edges))


def plot(runs: Sequence[Run]) -> "Figure":
    """The mean activation of every hidden layer over the steps, a panel for each depth."""
    drawn = []
    for depth in sorted({run.config["model"]["hidden_layers"] for run in runs}):
        own = [run for run in runs if run.config["model"]["hidden_layers"] == depth]
        if found := fullest(own, ["sigmoid"], arm="model/activation"):
            drawn.append((depth, found))
    if not drawn:
        raise UsageError("no run with model/activation=sigmoid has ended: nothing to draw")
    with new_figure(6.7 * len(drawn), 6.6) as figure:
        axes = figure.subplots(1, len(drawn), squeeze=False, sharey=True)[0]
        for axis, (depth, found) in zip(axes, drawn, strict=True):
            ends = []
            for layer, shade in zip(range(1, depth + 1), SHADES[-depth:], strict=False):
                curves = [run.series(f"activation_mean/layer{layer}") for run in found.arms["sigmoid"]]
                ends.append((band(axis, curves, shade), f"layer {layer}", shade))
            paper_line(axis, SILENT, "silent: 0.05", GREY)
            axis.set_title(f"{depth} hidden layers")
            axis.set_xlabel("step")
            axis.set_ylim(0, 1)
            axis.locator_params(axis="x", nbins=5, integer=True)
            label_ends(axis, ends)
        axes[0].set_ylabel("mean activation")
        text = (
            f"{drawn[-1][1].caption()} Means over the units and the batch; lines: medians over the seeds, bands: "
            "ranges. The paper's four layers leave saturation about epoch 100."
        )
        entitle(figure, "Deep layers of sigmoids fall silent", text)
    return figure
