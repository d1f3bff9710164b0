"""Densities of eigenvalues."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.figures.look import GREY
from normscope.figures.subjects import Subject

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEAST = 0.01  # eigenvalues a bin: an outlier counts 1 on the average over vectors, of one vector any share of it


def spectra(figure: "Figure", subjects: Sequence[Subject], name: str) -> None:
    """The number of eigenvalues in each bin, at a run's first (grey) and last occasion; a panel for each run."""
    axes = figure.subplots(1, len(subjects), squeeze=False, sharey=True)[0]
    for axis, subject in zip(axes, subjects, strict=True):
        found = subject.run.histograms(name)
        for colour, (step, edges, counts) in zip((GREY, subject.colour), (found[0], found[-1]), strict=True):
            heights = np.where(counts >= LEAST, counts, np.nan)
            axis.stairs(heights, edges, color=colour, baseline=LEAST, fill=True, alpha=0.45, label=f"step {step:,}")
        axis.set_yscale("log")
        axis.set_title(subject.label)
        axis.set_xlabel("eigenvalue of the Hessian")
        axis.legend(frameon=False)
    axes[0].set_ylabel("eigenvalues in a bin")
