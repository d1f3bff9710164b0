"""Activations: which of them learn in a plain network, and which only with BatchNorm."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from normscope.claims import Claim, Verdict
from normscope.criteria import difference
from normscope.figures.comparisons import Comparison, comparison_figure
from normscope.quantities import final, in_points
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COMPARISON = Comparison(
    title="Activations, each with an init of its own gain",
    arm="model/activation",
    arms=("relu", "leaky_relu", "elu", "gelu", "maxout", "tanh", "sigmoid"),
    column="model/norm",
    columns={"none": "without BatchNorm", "batch": "with BatchNorm"},
    names={"leaky_relu": "leaky ReLU", "relu": "ReLU", "elu": "ELU", "gelu": "GELU"},
)
MARGIN = 5.0  # A1, points
A1 = Claim(
    "A1",
    f"after the same steps the test accuracy is at least {MARGIN:g} points higher with ReLU than with sigmoid",
    "ReLU first; try leaky, maxout, ELU, tanh; not sigmoid (advice, without a number)",
    "points",
)


def plot(runs: Sequence[Run]) -> "Figure":
    """The curves and the ends of every activation, without and with BatchNorm."""
    return comparison_figure(runs, COMPARISON)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """A1 in every setting, with and without BatchNorm."""
    gain = difference(in_points(final("test/accuracy")), worst=-math.inf, at_least=MARGIN)
    return verdicts(A1, runs, [gain], arm="model/activation", reference="sigmoid", treated="relu")
