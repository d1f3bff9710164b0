"""Panels over the depth of a network: what each layer has, from the first to the last."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.figures.lines import Series, band, label_ends
from normscope.figures.look import arm_colour, arm_name
from normscope.figures.panels import LOG_FROM
from normscope.figures.ridges import Histogram, ridges
from normscope.figures.titles import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from normscope.runs.reader import Run

Arms = Mapping[str, "Sequence[Run]"]


def over_depth(
    axis: "Axes", arms: Arms, pattern: str, unit: str, title: str, limits: tuple[float, float] | None = None
) -> None:
    """A series at the first measured step against the number of the layer: medians and ranges over the seeds.

    Args:
        pattern: the name of the series, with the layer as `{layer}`.
        limits: of the axis; logarithmic is only one without, if its values are far apart.
    """
    curves = {arm: [by_layer(run, pattern) for run in runs] for arm, runs in arms.items()}
    values = np.concatenate([values for own in curves.values() for _, values in own])
    values = values[np.isfinite(values)]
    if limits is None and len(values) and values.min() > 0 and values.max() > LOG_FROM * values.min():
        axis.set_yscale("log")
    ends = [(band(axis, own, arm_colour(arm)), label(arm, arms[arm]), arm_colour(arm)) for arm, own in curves.items()]
    axis.set_title(title)
    axis.set_ylabel(unit)
    axis.set_xlabel("layer")
    axis.margins(x=0.03)
    axis.locator_params(axis="x", nbins=7, integer=True)
    if axis.get_yscale() == "linear":
        axis.ticklabel_format(axis="y", style="sci", scilimits=(-3, 5))
    if limits is not None:
        axis.set_ylim(*limits)
    label_ends(axis, ends)


def histograms_by_layer(axes: "Sequence[Axes]", arms: Arms, name: str, unit: str) -> None:
    """The histograms of up to six layers of each arm's first run, an axis an arm, from the first layer upwards."""
    for axis, (arm, runs) in zip(axes, arms.items(), strict=False):
        if not ridges(axis, {arm_colour(arm): layer_histograms(runs[0], name)}):
            axis.set(xticks=[], yticks=[])
        axis.set_title(arm_name(arm))
        axis.set_xlabel(unit + (", powers of ten" if axis.get_xscale() == "log" else ""))
        axis.set_ylabel("layer")
        if axis.get_xscale() == "linear":
            axis.ticklabel_format(axis="x", style="sci", scilimits=(-3, 5))
            axis.locator_params(axis="x", nbins=5)


def by_layer(run: "Run", pattern: str) -> Series:
    """(numbers of the layers, first value of each); only of layers that have a number, as `layer3`."""
    layers = numbered(run.layers(pattern))
    first = [run.series(pattern.format(layer=layer))[1][0] for layer in layers.values()]
    return np.array(list(layers), dtype=np.int64), np.array(first, dtype=float)


def layer_histograms(run: "Run", name: str) -> list[Histogram]:
    """(number of the layer, edges, counts) at the first step that has them."""
    layers = numbered(run.layers(f"{name}/{{layer}}"))
    return [(number, *run.histograms(f"{name}/{layer}")[0][1:]) for number, layer in layers.items()]


def numbered(layers: Sequence[str]) -> dict[int, str]:
    """Number -> layer, in the order of the numbers; the others are left out."""
    found = {int(layer[5:]): layer for layer in layers if layer.startswith("layer") and layer[5:].isdigit()}
    return dict(sorted(found.items()))
