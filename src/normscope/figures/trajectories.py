"""Ways over a surface of two weights, drawn on its contours."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from normscope.figures.look import ARM_COLOURS, GREY, new_figure
from normscope.figures.titles import amount

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CONTOURS = 14
POINTS = 160  # of the grid, along each axis
HOW_TO_READ = (
    "Under each picture: learning rate and the height reached. Square: start; cross: end; star: minimum; ring: local "
    "minimum."
)
COLOURS = [ARM_COLOURS[name] for name in ("none", "batch", "layer", "group")]


@dataclass(frozen=True)
class Landscape:
    """A surface with the ways over it.

    Attributes:
        title: its name and formula.
        height: (2, ...) -> (...).
        extent: (left, right, bottom, top) of what is shown.
        minima: points (x, y), each marked by a star; local_minima: by a ring.
        ways: a list for each column: the optimizer's name with its rate -> points (T, 2).
    """

    title: str
    height: Callable[[np.ndarray], np.ndarray]
    extent: tuple[float, float, float, float]
    minima: Sequence[tuple[float, float]]
    local_minima: Sequence[tuple[float, float]]
    ways: Sequence[Mapping[str, np.ndarray]]


def trajectories_figure(landscapes: Sequence[Landscape], columns: Sequence[str]) -> "Figure":
    """A row for each landscape, a column for each family of optimizers; beside each name the height that it reached.

    Args:
        columns: the families' names, as many as each landscape has lists of ways.
    """
    with new_figure(4.0 * len(columns), 3.9 * len(landscapes)) as figure:
        axes = figure.subplots(len(landscapes), len(columns), squeeze=False)
        for row, landscape in zip(axes, landscapes, strict=True):
            for axis, ways in zip(row, landscape.ways, strict=True):
                _contours(axis, landscape)
                _draw_ways(axis, landscape, ways)
            row[0].set_ylabel(landscape.title, fontweight="bold")
        for axis, name in zip(axes[0], columns, strict=True):
            axis.set_title(name)
        figure.suptitle("How optimizers walk from one start, with the exact gradient", fontsize=17, fontweight="bold")
        figure.supxlabel(HOW_TO_READ, fontsize=13)
    return figure


def _contours(axis: "Axes", landscape: Landscape) -> None:
    """Lines of equal height, denser near the bottom, so that a valley shows its shape."""
    left, right, bottom, top = landscape.extent
    x, y = np.meshgrid(np.linspace(left, right, POINTS), np.linspace(bottom, top, POINTS))
    heights = landscape.height(np.stack([x, y]))
    lowest = heights.min()
    levels = lowest + (heights.max() - lowest) * np.linspace(0.02, 1, CONTOURS) ** 3
    axis.contour(x, y, heights, levels, colors=GREY, linewidths=0.6, alpha=0.7)
    for points, marker in ((landscape.minima, "*"), (landscape.local_minima, "o")):
        for place in points:
            axis.plot(*place, marker=marker, color="#000000", markersize=12, markerfacecolor="none")
    axis.set_xlim(left, right)
    axis.set_ylim(bottom, top)
    axis.grid(False)


def _draw_ways(axis: "Axes", landscape: Landscape, ways: Mapping[str, np.ndarray]) -> None:
    """Each way with a dot at every point, and under the picture its name and how low it came."""
    for place, ((name, way), colour) in enumerate(zip(ways.items(), COLOURS, strict=False)):
        axis.plot(way[:, 0], way[:, 1], color=colour, marker="o", markersize=2.6, linewidth=1.3, alpha=0.85)
        axis.plot(*way[-1], marker="X", color=colour, markersize=8, markeredgecolor="white", zorder=5)
        end = float(landscape.height(way[-1]))
        text = f"{name}: {amount(end).replace('-', '−')}" if np.isfinite(end) else f"{name}: away"
        axis.annotate(
            text, (place % 2 * 0.64 - 0.12, -0.19 - 0.085 * (place // 2)), xycoords="axes fraction", color=colour,
            fontweight="bold", fontsize=9.5,
        )  # fmt: skip
    axis.plot(*next(iter(ways.values()))[0], marker="s", color="#000000", markersize=6)
