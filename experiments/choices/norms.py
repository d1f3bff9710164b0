"""Norms: how a network trains with each of them, and without one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from normscope.claims import Verdict
from normscope.figures.comparisons import Comparison, comparison_figure
from normscope.runs.reader import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COMPARISON = Comparison(
    title="Norms in VGG11",
    arm="model/norm",
    arms=("none", "batch", "noisy_batch", "l1", "l2", "l_infinity", "layer", "group", "instance"),
    names={"none": "none", "noisy_batch": "noisy batch", "l1": "L1", "l2": "L2", "l_infinity": "L∞"},
)


def plot(runs: Sequence[Run]) -> "Figure":
    """The curves and the ends of every norm."""
    return comparison_figure(runs, COMPARISON)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """None: what the papers say of norms against each other is judged in their own experiments."""
    return []
