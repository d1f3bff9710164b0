"""BatchNorm before or after the activation, for activations that are zero-centred and that are not."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from normscope.claims import Verdict
from normscope.figures.comparisons import Comparison, comparison_figure
from normscope.runs.reader import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COMPARISON = Comparison(
    title="BatchNorm before or after the activation",
    arm="model.norm_position",
    arms=("before", "after"),
    column="model/activation",
    columns={"relu": "ReLU", "tanh": "tanh", "sigmoid": "sigmoid"},
)


def plot(runs: Sequence[Run]) -> "Figure":
    """Both positions, a column for each activation."""
    return comparison_figure(runs, COMPARISON)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """None: opinions differ, said the seminar."""
    return []
