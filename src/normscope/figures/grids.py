"""Grids of panels: how one run, or two beside each other, changed over its steps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from normscope.figures.lines import Series, between, label_ends, paper_line
from normscope.figures.look import GREY
from normscope.figures.ridges import ridges
from normscope.figures.subjects import Subject

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 3  # layers shown: an early one, a middle one, a late one
WIDE = 30.0  # times from the least to the most: then an axis is logarithmic


@dataclass(frozen=True)
class Panel:
    """A quantity over the steps of a run.

    Attributes:
        title: what it is, with its unit.
        series: its name; with a layer in it as `{layer}` where each layer has its own.
        edges: names of the lower and the upper edge of a band, drawn instead of a line.
        reference: a value of theory and its name, as a dashed line.
        linear: whether its axis is never logarithmic, as that of a cosine.
    """

    title: str
    series: str = ""
    edges: tuple[str, str] | None = None
    reference: tuple[float, str] | None = None
    linear: bool = False

    def names(self, layer: str = "") -> list[str]:
        """The series that are drawn."""
        return [name.format(layer=layer) for name in (self.edges or (self.series,))]


def over_steps(figure: "Figure", subjects: Sequence[Subject], panels: Sequence[Panel], columns: int = 2) -> None:
    """One panel for each quantity of the whole network; every run a line or a band."""
    rows = math.ceil(len(panels) / columns)
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis, panel in zip(axes.flat, panels, strict=False):
        scaled(axis, [subject.run.series(name) for subject in subjects for name in panel.names()], panel)
        draw(axis, subjects, panel)
        axis.set_title(panel.title)
    for axis in list(axes.flat)[len(panels) :]:
        axis.set_visible(False)


def by_layer(figure: "Figure", subjects: Sequence[Subject], panels: Sequence[Panel], layers: Sequence[str]) -> None:
    """A row for each quantity, a column for each of three layers from the first to the last; every run a line."""
    shown = spread_out(layers, COLUMNS)
    axes = figure.subplots(len(panels), len(shown), squeeze=False, sharey="row")
    for row, panel in zip(axes, panels, strict=True):
        drawn = [subject.run.series(name) for subject in subjects for at in shown for name in panel.names(at)]
        for axis in row:  # they share their scale, so all layers choose it
            scaled(axis, drawn, panel)
        for axis, layer in zip(row, shown, strict=True):
            draw(axis, subjects, panel, layer, labelled=layer == shown[-1])
            axis.set_title(layer)
        row[0].set_ylabel(panel.title)


def by_depth(figure: "Figure", subjects: Sequence[Subject], panels: Sequence[Panel], layers: Sequence[str]) -> None:
    """A row for each quantity, a column for each run; every layer a line, from dark (first) to light (last)."""
    import matplotlib

    colours = matplotlib.colormaps["viridis"](np.linspace(0, 0.88, max(len(layers), 2)))
    axes = figure.subplots(len(panels), len(subjects), squeeze=False, sharey="row")
    for row, panel in zip(axes, panels, strict=True):
        name = panel.names("{layer}")[0]
        drawn = [subject.run.series(name.format(layer=layer)) for subject in subjects for layer in layers]
        labels = []
        for axis, subject in zip(row, subjects, strict=True):
            scaled(axis, drawn, panel)
            ends = []
            for layer, colour in zip(layers, colours, strict=False):
                steps, values = subject.run.series(name.format(layer=layer))
                if len(steps):
                    axis.plot(steps, values, color=colour, linewidth=1.6, marker="o" if len(steps) == 1 else None)
                    ends.append((float(values[-1]), layer, colour))
            labels.append([ends[0], ends[-1]] if len(ends) > 1 else ends)
            if panel.reference:
                paper_line(axis, *panel.reference, GREY)
            _finish(axis)
            axis.set_title(subject.label)
        for axis, ends in zip(row, labels, strict=True):  # last: what is drawn in a column moves the scale of all
            label_ends(axis, ends)
        row[0].set_ylabel(panel.title)


def ridge_grid(figure: "Figure", subjects: Sequence[Subject], name: str, layers: Sequence[str], title: str) -> None:
    """The histograms of three layers over time, the runs over one another."""
    shown = spread_out(layers, COLUMNS)
    axes = figure.subplots(1, len(shown), squeeze=False)[0]
    for axis, layer in zip(axes, shown, strict=True):
        found = {subject.colour: subject.run.histograms(f"{name}/{layer}") for subject in subjects}
        if not ridges(axis, found):
            axis.set(xticks=[], yticks=[])
        axis.set_title(layer)
        axis.set_xlabel(title + (", powers of ten" if axis.get_xscale() == "log" else ""))
    axes[0].set_ylabel("step")
    height = 0.8 * axes[-1].get_ylim()[1]
    label_ends(axes[-1], [(height, subject.label.replace(" ", "\n"), subject.colour) for subject in subjects])


def draw(axis: "Axes", subjects: Sequence[Subject], panel: Panel, layer: str = "", labelled: bool = True) -> None:
    """One quantity of every run that has it, on an axis that is `scaled`."""
    ends = []
    for subject in subjects:
        own = [subject.run.series(name) for name in panel.names(layer)]
        end = between(axis, own[:1], own[1:], subject.colour) if panel.edges else line(axis, own[0], subject.colour)
        ends.append((end, subject.label.replace(" ", "\n"), subject.colour))
    if panel.reference:
        paper_line(axis, *panel.reference, GREY)
    _finish(axis)
    if labelled:
        label_ends(axis, ends)


def line(axis: "Axes", curve: Series, colour: str) -> float:
    """Draw what is finite of a curve; returns where it ends, nan if there is nothing."""
    steps, values = curve
    finite = np.isfinite(values)
    if not finite.any():
        return math.nan
    axis.plot(steps, np.where(finite, values, np.nan), color=colour, marker="o" if finite.sum() == 1 else None)
    return float(values[finite][-1])


def scaled(axis: "Axes", curves: Sequence[Series], panel: Panel) -> None:
    """A logarithmic axis where the values are far apart, linear around 0 where they have both signs; if it may be."""
    values = np.concatenate([values for _, values in curves]) if curves else np.empty(0)
    values = values[np.isfinite(values)]
    if not len(values) or panel.linear:
        return
    if values.min() > 0:
        if values.max() > WIDE * values.min():
            axis.set_yscale("log")
    elif values.min() < 0 and np.abs(values).max() > WIDE * (middle := np.median(np.abs(values))) > 0:
        axis.set_yscale("symlog", linthresh=10 ** math.floor(math.log10(middle)))


def spread_out(items: Sequence[str], count: int) -> list[str]:
    """At most `count` of the items, evenly from the first to the last."""
    places = np.linspace(0, len(items) - 1, min(count, len(items))).round().astype(int)
    return [items[place] for place in places]


def _finish(axis: "Axes") -> None:
    axis.set_xlabel("step")
    axis.margins(x=0.01)
    left, right = axis.get_xlim()
    if right - left < 1:  # of a single step
        axis.set_xlim(left - 1, right + 1)
    axis.locator_params(axis="x", nbins=4, integer=True)
    axis.xaxis.set_major_formatter("{x:,.0f}")
