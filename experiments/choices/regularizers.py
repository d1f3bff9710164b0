"""Regularisers: the gap between training and test accuracy of a network that has too few images."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from normscope.claims import Verdict
from normscope.figures.comparisons import Comparison, comparison_figure
from normscope.runs.reader import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COMPARISON = Comparison(
    title="Regularisers of a network that has too few images",
    arm="regularizer",
    arms=("none", "l2", "dropout", "label_smoothing", "flip", "crop_flip", "cutout", "mixup"),
    names={"l2": "L2", "label_smoothing": "label smoothing", "crop_flip": "crop and flip"},
)


def plot(runs: Sequence[Run]) -> "Figure":
    """The curves and, at the end, the accuracy on training and on test images."""
    return comparison_figure(runs, COMPARISON)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """None: the seminar named methods against over-fitting, and no number."""
    return []
