"""Densities of eigenvalues."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.figures.subjects import Subject

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEAST = 0.01  # eigenvalues a bin: an outlier counts 1 on the average over vectors, of one vector any share of it


def spectra(figure: "Figure", subjects: Sequence[Subject], name: str) -> None:
    """The number of eigenvalues in each bin; a row for the first occasion and one for the last, a column for each run.

    Every panel has its own range of eigenvalues: training changes it by orders of magnitude.
    """
    axes = figure.subplots(2, len(subjects), squeeze=False, sharey=True)
    for column, subject in zip(axes.T, subjects, strict=True):
        found = subject.run.histograms(name)
        for axis, (step, edges, counts) in zip(column, (found[0], found[-1]), strict=True):
            heights = np.where(counts >= LEAST, counts, np.nan)
            axis.stairs(heights, edges, color=subject.colour, baseline=LEAST, fill=True, alpha=0.6)
            axis.set_yscale("log")
            axis.set_title(f"{subject.label}, step {step:,}")
            axis.locator_params(axis="x", nbins=6)
        column[-1].set_xlabel("eigenvalue of the Hessian")
    for axis in axes[:, 0]:
        axis.set_ylabel("eigenvalues in a bin")
