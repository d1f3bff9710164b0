"""Histograms over time, one above the other."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Histogram = tuple[int, np.ndarray, np.ndarray]  # step, edges (B+1,), counts (B,)
OVERLAP = 1.25  # height of a ridge in rows
NARROWEST = 0.07  # powers of ten: the width of a bin on a logarithmic axis


def ridges(
    axis: "Axes", arms: Mapping[str, Sequence[Histogram]], rows: int = 6, logarithmic: bool | None = None
) -> bool:
    """Draw how each arm's values are distributed, at up to `rows` steps from the bottom (first) to the top (last).

    Where no value is negative the axis is logarithmic, the density is per power of ten, and the lowest bin of a
    histogram that begins at 0 is left out: it holds the zeros of ReLU, whose spike would hide the rest. Say their
    share beside it (`share_at_zero`). Every ridge has the same height: its shape and its place count.

    Args:
        arms: colour -> histograms in the order of their steps.
        logarithmic: whether the axis is; None for the rule above.
    Returns:
        Whether there was anything to draw but zeros.
    """
    arms = {colour: found for colour, found in arms.items() if found}
    if not arms:
        return False
    if logarithmic is None:
        logarithmic = all(edges[0] >= 0 for found in arms.values() for _, edges, _ in found)
    if logarithmic:
        axis.set_xscale("log")
    drawn = False
    shown = chosen([step for found in arms.values() for step, _, _ in found], rows)
    for row, step in reversed(list(enumerate(shown))):  # from the back to the front
        for colour, found in arms.items():
            for _, edges, counts in (entry for entry in found if entry[0] == step):
                places, density = shape(edges, counts, logarithmic)
                if density.any():
                    drawn = True
                    top = row + OVERLAP * density / density.max()
                    axis.fill_between(places, row, top, color=colour, alpha=0.5, linewidth=0, zorder=3 - row / 100)
                    axis.plot(places, top, color=colour, linewidth=1.3, zorder=3 - row / 100)
    axis.set_yticks(range(len(shown)), [f"{step:,}" for step in shown])
    axis.set_ylim(-0.15, len(shown) - 1 + OVERLAP + 0.1)
    return drawn


def chosen(steps: Sequence[int], rows: int) -> list[int]:
    """At most `rows` of the steps, evenly from the first to the last."""
    found = sorted(set(steps))
    places = np.linspace(0, len(found) - 1, min(rows, len(found))).round().astype(int)
    return [found[place] for place in places]


def shape(edges: np.ndarray, counts: np.ndarray, logarithmic: bool) -> tuple[np.ndarray, np.ndarray]:
    """The middles of the bins and the density there, per unit or per power of ten; its area is the share drawn.

    Equal bins crowd at the right of a logarithmic axis: there they are put together until they are wide enough.
    """
    total = max(counts.sum(), 1)
    if not logarithmic:
        return (edges[1:] + edges[:-1]) / 2, counts / total / np.diff(edges)
    if edges[0] == 0:
        edges, counts = edges[1:], counts[1:]
    starts = [0]
    for place in range(1, len(counts)):
        if np.log10(edges[place] / edges[starts[-1]]) >= NARROWEST:
            starts.append(place)
    counts, edges = np.add.reduceat(counts, starts), np.append(edges[starts], edges[-1])
    return np.sqrt(edges[1:] * edges[:-1]), counts / total / np.diff(np.log10(edges))


def share_at_zero(histograms: Sequence[Histogram]) -> float:
    """The share of the last histogram's values in its lowest bin if that begins at 0, as ReLU's does; else nan."""
    if not histograms or histograms[-1][1][0] != 0:
        return math.nan
    counts = histograms[-1][2]
    return float(counts[0] / max(counts.sum(), 1))


def size(histograms: Sequence[Histogram]) -> float:
    """√(mean x²) of the last histogram, x in the middles of its bins and 0 in one that begins at 0; nan without one."""
    if not histograms:
        return math.nan
    _, edges, counts = histograms[-1]
    middles = np.where(edges[:-1] == 0, 0, (edges[1:] + edges[:-1]) / 2)
    return float(np.sqrt((counts * middles**2).sum() / max(counts.sum(), 1)))
