"""Curves over steps: a line for the median of the seeds, a band for their range, a name where it ends."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Series = tuple[np.ndarray, np.ndarray]  # steps (T,), values (T,)
LINE_INCHES = 0.21  # of a label's line
AROUND_INCHES = 1.5  # of an axis: its titles, its unit, and the figure's title and caption, about


def aligned(curves: Sequence[Series]) -> tuple[np.ndarray, np.ndarray]:
    """Curves on the steps that any of them has: (T,) and (n, T), nan where one has none or is not finite."""
    steps = np.unique(np.concatenate([steps for steps, _ in curves])) if curves else np.empty(0)
    values = np.full((len(curves), len(steps)), np.nan)
    for row, (own, found) in zip(values, curves, strict=True):
        row[np.searchsorted(steps, own)] = np.where(np.isfinite(found), found, np.nan)
    return steps, values


def over_seeds(curves: Sequence[Series]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(steps, median, lowest, highest) over the seeds; nan at a step where a run has ended or is not finite.

    A median over those that are left would flatter an arm whose other runs have diverged.
    """
    steps, values = aligned(curves)
    if not len(steps):
        return steps, steps, steps, steps
    return steps, np.median(values, axis=0), values.min(axis=0), values.max(axis=0)


def band(axis: "Axes", curves: Sequence[Series], colour: str) -> float:
    """Draw the median of one arm's curves over its seeds, and their range behind it.

    If they do not all go on to the end, each is drawn by itself, a cross where it stops short.

    Returns:
        The height at which the lines end, for `label_ends`; nan if there is nothing to draw.
    """
    steps, middle, low, high = over_seeds(curves)
    if len(steps) and not np.isnan(middle).any():
        if len(curves) > 1:
            axis.fill_between(steps, low, high, color=colour, alpha=0.22, linewidth=0)
        axis.plot(steps, middle, color=colour, marker="o" if len(steps) == 1 else None)
        return float(middle[-1])
    ends = []
    for own, values in curves:
        finite = np.flatnonzero(np.isfinite(values))
        if len(finite):
            axis.plot(own, np.where(np.isfinite(values), values, np.nan), color=colour, linewidth=1.4)
            ends.append(values[finite[-1]])
            if own[finite[-1]] < steps[-1]:
                axis.plot(own[finite[-1]], ends[-1], color=colour, marker="X", markersize=9)
    return float(np.median(ends)) if ends else math.nan


def between(axis: "Axes", lower: Sequence[Series], upper: Sequence[Series], colour: str) -> float:
    """Fill between two curves, each the median over the seeds; returns the middle of the end, nan if there is none."""
    (steps, low, *_), (others, high, *_) = over_seeds(lower), over_seeds(upper)
    steps, ours, theirs = np.intersect1d(steps, others, return_indices=True)
    low, high = low[ours], high[theirs]
    finite = np.flatnonzero(np.isfinite(low + high))
    if not len(finite):
        return math.nan
    axis.fill_between(steps, low, high, color=colour, alpha=0.35, linewidth=0)
    for edge in (low, high):
        axis.plot(steps, edge, color=colour, linewidth=1.6, marker="o" if len(finite) == 1 else None)
    end = finite[-1]
    logarithmic = axis.get_yscale() == "log" and low[end] > 0
    return float(math.sqrt(low[end] * high[end]) if logarithmic else (low[end] + high[end]) / 2)


def paper_line(axis: "Axes", value: float, text: str, colour: str, *, below: bool = False) -> None:
    """A published or theoretical value as a dashed line, named on or below it; nothing where the axis ends before."""
    from matplotlib.patheffects import withStroke

    axis.axhline(value, color=colour, linestyle=(0, (5, 3)), linewidth=1.4, zorder=1.5)
    axis.annotate(
        text, (0.99, value), xycoords=("axes fraction", "data"), xytext=(0, -4 if below else 3),
        textcoords="offset points", ha="right", va="top" if below else "bottom", color=colour, fontsize=11,
        path_effects=[withStroke(linewidth=3, foreground="white")], annotation_clip=True,
    )  # fmt: skip


def label_ends(axis: "Axes", ends: Sequence[tuple[float, str, str]]) -> None:
    """Write (height, text, colour) of each line right of where it ends, moved apart so that none overlaps.

    Call it when the limits of the axis are final. A line without an end (nan) gets no label.
    """
    bottom, top = axis.get_ylim()
    found = [end for end in ends if not math.isnan(end[0])]
    across = axis.get_xlim()[0]  # of no matter, but a logarithmic axis has no 0
    to_axis = axis.transScale + axis.transLimits
    heights = [float(to_axis.transform((across, min(max(end[0], bottom), top)))[1]) for end in found]
    line = LINE_INCHES / _inches(axis)
    tall = [line * (text.count("\n") + 1) for _, text, _ in found]
    for height, (_, text, colour) in zip(spread(heights, tall), found, strict=True):
        axis.annotate(
            text, (1, height), xycoords="axes fraction", xytext=(7, 0), textcoords="offset points",
            ha="left", va="center", color=colour, fontweight="bold", fontsize=12, linespacing=1.15,
        )  # fmt: skip


def spread(heights: Sequence[float], tall: Sequence[float]) -> list[float]:
    """Move the middles of labels apart until none overlaps, as little as may be and in their order, inside [0, 1].

    If there are more labels than room, they leave [0, 1] downwards.

    Args:
        heights: of the middles; tall: how much of [0, 1] each label takes.
    """
    order = sorted(range(len(heights)), key=lambda place: heights[place])
    moved, floor = [], 0.0
    for place in order:
        moved.append(max(heights[place], floor + tall[place] / 2))
        floor = moved[-1] + tall[place] / 2
    result, ceiling = [0.0] * len(heights), 1.0
    for place, middle in zip(reversed(order), reversed(moved), strict=True):
        result[place] = min(middle, ceiling - tall[place] / 2)
        ceiling = result[place] - tall[place] / 2
    return result


def _inches(axis: "Axes") -> float:
    """About how high an axis will be: the layout, which knows, is made when the figure is drawn."""
    figure, place = axis.figure, axis.get_subplotspec()
    share = len(place.rowspan) / place.get_gridspec().nrows if place is not None else 1.0
    return max(1.0, share * figure.bbox.height / figure.dpi - AROUND_INCHES)
