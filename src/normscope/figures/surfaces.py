"""The loss around a run's weights, as a curve or as a map with contours, and the way from one network to another."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.figures.lines import label_ends
from normscope.figures.look import GREY, INK, arm_colour, arm_name, new_figure
from normscope.figures.subjects import subjects
from normscope.figures.titles import amount

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from normscope.runs.reader import Run

WIDE = 10.0  # times from the least to the most: then contours are at logarithmic levels
LOG_FROM = 50.0  # times: then an axis is logarithmic
LINES = 12  # contours, at most
UNIT = "lengths of the filters"
WIDTH = 56  # characters of a title


def square_figure(steps: np.ndarray, losses: np.ndarray, title: str) -> "Figure":
    """A map of the loss over two directions, with contours that bear their values and a cross at the run's weights.

    Args:
        steps: (S,) along either direction; losses: (S, S), the first axis along the first direction; what is not
            finite stays white.
    """
    from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize

    found = np.ma.masked_invalid(losses.T)
    heights = levels(float(found.min()), float(found.max()))
    scale = LogNorm if heights[0] > 0 and heights[-1] > WIDE * heights[0] else Normalize
    colours = LinearSegmentedColormap.from_list("depth", ["#4C93C5", "#9CC6E0", "#D3E5F0", "#F5F8FA"])
    norm = scale(heights[0], heights[-1])
    with new_figure(8.4, 7.6) as figure:
        axis = figure.subplots()
        axis.contourf(steps, steps, found, heights, cmap=colours, norm=norm)
        if len(heights) > 2:
            lines = axis.contour(steps, steps, found, heights[1:-1], colors=INK, linewidths=0.8)
            places = label_places([np.asarray(path.vertices) for path in lines.get_paths()], float(steps[-1]))
            axis.clabel(lines, fmt=amount, fontsize=11, inline_spacing=3, manual=places)
        axis.plot(0, 0, marker="+", color="#000000", markersize=13, markeredgewidth=2.2)
        axis.set_title(title)
        axis.set_xlabel(f"first random direction, {UNIT}")
        axis.set_ylabel(f"second random direction, {UNIT}")
        axis.set_aspect("equal")
        axis.grid(False)
    return figure


def levels(least: float, most: float) -> list[float]:
    """At most about a dozen round values from at or below the least to at or above the most: 1, 2, 5, 10, ... where
    these are far apart, evenly spaced ones where they are not."""
    from matplotlib.ticker import MaxNLocator

    if not least < most:
        return [least, least + 1]
    if least > 0 and most > WIDE * least:
        first, last = math.floor(math.log10(least)), math.ceil(math.log10(most))
        strides = [((1, 1.5, 2, 3, 5, 7), 1), ((1, 2, 5), 1), ((1, 3), 1), ((1,), 1 + (last - first) // LINES)]
        for digits, stride in strides:
            powers = range(first, last + stride, stride)
            series = [float(f"{digit}e{power}") for power in powers for digit in digits]
            below = max(place for place, value in enumerate(series) if value <= least)
            above = min(place for place, value in enumerate(series) if value >= most)
            if above - below <= LINES:
                break
        return series[below : above + 1]
    return [float(value) for value in MaxNLocator(LINES, steps=[1, 2, 2.5, 5, 10]).tick_values(least, most)]


def label_places(contours: "Sequence[np.ndarray]", extent: float) -> list[tuple[float, float]]:
    """A place on each contour (V, 2) for its label: as near as may be to the ray upwards, whole inside the square, and
    off the cross in its middle. A contour that has no such place gets none.
    """
    places = []
    for vertices in contours:
        x, y = abs(vertices.T)
        inside = vertices[(x < 0.9 * extent) & (y < 0.95 * extent) & (np.hypot(x, y) > 0.1 * extent)]
        if len(inside):
            angles = abs(np.arctan2(inside[:, 0], inside[:, 1]))
            x, y = inside[np.argmin(angles)]
            places.append((float(x), float(y)))
    return places


def line_figure(steps: np.ndarray, losses: np.ndarray, run: "Run", title: str) -> "Figure":
    """The loss along one direction, in the colour of the run's arm, with a dot at the run's weights."""
    colour = arm_colour(str(run.choices.get("model/norm")))
    with new_figure(8, 5.5) as figure:
        axis = figure.subplots()
        axis.plot(steps, finite(losses), color=colour)
        axis.plot(0, losses[len(losses) // 2], marker="o", color=colour, markersize=9)
        loss_axis(axis, losses)
        axis.set_title(title)
        axis.set_xlabel(f"random direction, {UNIT}")
        axis.set_ylabel("training loss, nats")
        axis.margins(x=0)
    return figure


def interpolation_figure(runs: "Sequence[Run]", columns: Mapping[str, np.ndarray], rises: float) -> "Figure":
    """Loss and accuracy on the line through two networks: training solid, test dashed, the networks at 0 and 1.

    Args:
        runs: A and B, or the one whose initial weights are A.
        columns: alpha, and (train|test)_(loss|accuracy) at each.
        rises: what the training loss rises above the worse end between them, nats.
    """
    names = ["step 0", f"step {runs[0].summary['step']:,}"]
    if len(runs) == 2:
        names = [subject.label for subject in subjects(runs)]
    colour = arm_colour(str(runs[-1].choices.get("model/norm")))
    alpha = columns["alpha"]
    with new_figure(14, 5.8) as figure:
        left, right = figure.subplots(1, 2)
        for axis, quantity, factor in ((left, "loss", 1), (right, "accuracy", 100)):
            train, test = (factor * columns[f"{split}_{quantity}"] for split in ("train", "test"))
            axis.plot(alpha, finite(train), color=colour)
            axis.plot(alpha, finite(test), color=colour, linestyle=(0, (4, 2)))
            for place in (0, 1):
                axis.axvline(place, color=GREY, linewidth=1.2, zorder=1)
            axis.set_xticks([-0.5, 0, 0.5, 1, 1.5], ["−0.5", f"0\n{names[0]}", "0.5", f"1\n{names[1]}", "1.5"])
            axis.set_xlabel("α, the place on the line")
            axis.margins(x=0)
            if quantity == "accuracy":
                axis.set_ylim(0, 100)
            else:
                loss_axis(axis, train, test)
            label_ends(axis, [(float(train[-1]), "training", colour), (float(test[-1]), "test", colour)])
        left.set_ylabel("loss, nats")
        right.set_ylabel("accuracy, %")
        way = textwrap.fill(f"{_subject(runs[-1])}, from {names[0]} to {names[1]}:", WIDTH)
        how = f"by {amount(rises)} nats" if rises else "nowhere"
        left.set_title(f"{way}\nin between the training loss rises {how}")
        middle = 100 * columns["test_accuracy"][np.argmin(abs(alpha - 0.5))]
        ends = [f"{100 * columns['test_accuracy'][np.argmin(abs(alpha - place))]:.0f}" for place in (0, 1)]
        right.set_title(f"The test accuracy is {ends[0]} % and {ends[1]} % at the ends,\n{middle:.0f} % half way")
    return figure


def title_of(run: "Run", mark: str, centre: float, least: float, most: float) -> str:
    """E.g. "vgg11 with BatchNorm after 400 steps: the training loss" / "is 0.4 nats at its weights (+), ..."."""
    values = f"is {amount(centre)} nats at its weights ({mark}), {amount(least)} to {amount(most)} around them"
    return f"{_subject(run)} after {run.summary['step']:,} steps: the training loss\n{values}"


def loss_axis(axis: "Axes", *curves: np.ndarray) -> None:
    """Losses in nats; logarithmic where they are far apart, else from 0."""
    from matplotlib.ticker import LogLocator, NullFormatter

    values = np.concatenate([curve[np.isfinite(curve)] for curve in curves])
    if len(values) and values.min() > 0 and values.max() > LOG_FROM * values.min():
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if values.max() < 1000 * values.min() else (1,)))
        axis.yaxis.set_minor_formatter(NullFormatter())
        axis.yaxis.set_major_formatter(lambda value, place: amount(value))
    else:
        axis.set_ylim(bottom=0)


def finite(values: np.ndarray) -> np.ndarray:
    """The values with gaps where they are not finite."""
    return np.where(np.isfinite(values), values, np.nan)


def _subject(run: "Run") -> str:
    model, norm = run.choices.get("model", "the network"), str(run.choices.get("model/norm"))
    return f"{model} {arm_name(norm)}"
