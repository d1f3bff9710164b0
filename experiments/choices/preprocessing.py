"""Preprocessing: how fast a fully connected network learns from images in each form, and how well."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from normscope.claims import Verdict
from normscope.figures.comparisons import Comparison, comparison_figure
from normscope.runs.reader import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COMPARISON = Comparison(
    title="Preprocessing of the images, without and with BatchNorm",
    arm="dataset/preprocess",
    arms=("none", "mean_channel", "mean_image", "standardise", "pca_whitening", "zca"),
    column="model/norm",
    columns={"none": "without BatchNorm", "batch": "with BatchNorm"},
    names={"none": "as they are", "mean_channel": "channel mean 0", "mean_image": "pixel mean 0"}
    | {"standardise": "standardised", "pca_whitening": "PCA whitened", "zca": "ZCA whitened"},
)


def plot(runs: Sequence[Run]) -> "Figure":
    """The curves and the ends of every form of the images."""
    return comparison_figure(runs, COMPARISON)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """None: the seminar gave advice and no number."""
    return []
