"""Deep Learning from Scratch, chapter 6: what four sizes of the initial weights make of the activations."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from normscope.claims import Claim, Verdict
from normscope.criteria import of_treated
from normscope.errors import UsageError
from normscope.figures.arms import Shown, fullest
from normscope.figures.depth import by_layer, layer_histograms
from normscope.figures.lines import band, label_ends
from normscope.figures.look import arm_colour, arm_name, entitle, new_figure
from normscope.figures.ridges import ridges
from normscope.quantities import Quantity, first
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LAYER = 5
SCALES = {1.0: "std 1", 0.01: "std 0.01", math.sqrt(1 / 100): "Xavier √(1/n)", math.sqrt(2 / 100): "He √(2/n)"}
SHADES = ("#D55E00", "#E69F00", "#0072B2", "#009E73")
RANGE = {"sigmoid": (0, 1), "tanh": (-1, 1)}  # of what can come out
WITHIN = {"sigmoid": 1.1, "tanh": 1.1, "relu": 1.6}  # times: so far from the expected value a seed may be
EXPECTED = {  # std of the activations of layer 5, computed beforehand for inputs from N(0, 1): the mean of ten seeds
    "sigmoid": (0.44, 0.013, 0.13, 0.17),
    "tanh": (0.96, 1e-5, 0.32, 0.57),
    "relu": (1.5e4, 1.5e-6, 0.15, 0.87),
}


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """C1 for each activation and size of the weights; every run is held against the expected value by itself."""
    return [
        verdict
        for activation, stds in EXPECTED.items()
        for (scale, name), std in zip(SCALES.items(), stds, strict=True)
        for verdict in of_scale(runs, activation, scale, name, std)
    ]


def of_scale(runs: Sequence[Run], activation: str, scale: float, name: str, std: float) -> list[Verdict]:
    """C1 for one activation and one size."""
    factor = WITHIN[activation]
    claim = Claim(
        f"C1, {activation}, {name.split()[0] if scale not in (1, 0.01) else name}",
        f"{activation}, weights from N(0, {scale:.3g}²): the activations of layer 5 have a std of {std:g}, within a "
        f"factor of {factor:g}",
        "the book shows histograms; the number was computed for this claim, as a mean over ten seeds",
        "x the expected",
    )
    of_it = [run for run in runs if math.isclose(run.config["init"]["std"], scale)]
    limits = [
        of_treated(against(std), worst=math.inf, at_least=1 / factor),
        of_treated(against(std), worst=math.inf, at_most=factor),
    ]
    return verdicts(claim, of_it, limits, arm="model/activation", reference=activation, treated=activation)


def against(expected: float) -> Quantity:
    """The std of layer 5 in units of the expected one."""
    return lambda run: first(f"activation_std/layer{LAYER}")(run) / expected


def plot(runs: Sequence[Run]) -> "Figure":
    """A row for each activation: the histograms of the five layers at each size of the weights, and their std."""
    with new_figure(17.5, 13.2) as figure:
        axes = figure.subplots(len(EXPECTED), len(SCALES) + 1, squeeze=False)
        drawn: list[Shown] = []
        for row, activation in zip(axes, EXPECTED, strict=True):
            ends = []
            for axis, (scale, name), shade in zip(row, SCALES.items(), SHADES, strict=False):
                own = [run for run in runs if math.isclose(run.config["init"]["std"], scale)]
                found = fullest(own, [activation], arm="model/activation")
                axis.set_title(f"{arm_name(activation)}, {name}")
                if found is None:
                    axis.set(xticks=[], yticks=[])
                    continue
                members = found.arms[activation]
                drawn.append(found)
                histograms = {arm_colour(activation): layer_histograms(members[0], "activations")}
                if not ridges(axis, histograms, logarithmic=activation not in RANGE):
                    axis.set(xticks=[], yticks=[])
                if activation in RANGE:
                    axis.set_xlim(*RANGE[activation])
                axis.set_xlabel("activation")
                if axis.get_xscale() == "linear":
                    axis.locator_params(axis="x", nbins=4)
                    axis.ticklabel_format(axis="x", style="sci", scilimits=(-3, 5))
                curves = [by_layer(run, "activation_std/{layer}") for run in members]
                ends.append((band(row[-1], curves, shade), name.replace(" ", "\n"), shade))
            row[0].set_ylabel("layer")
            row[-1].set_title("std by layer")
            row[-1].set_xlabel("layer")
            row[-1].set_yscale("log")
            row[-1].set_xlim(0.8, LAYER + 0.2)
            label_ends(row[-1], ends)
        if not drawn:
            raise UsageError("no run with model/activation=sigmoid, tanh or relu has ended: nothing to draw")
        seeds = " to ".join(
            str(count) for count in sorted({len(found.arms[name]) for found in drawn for name in found.arms})
        )
        text = (
            f"Scale {drawn[0].setting.scale}: {drawn[0].setting.label}; {seeds} seeds. Weights from N(0, std²), 100 "
            "units a layer. Histograms: of the first seed, every layer of one height, layer 1 at the bottom; of ReLU "
            "without the lowest bin, which holds its zeros (half of all), on a logarithmic axis. Right: medians and "
            "ranges over the seeds."
        )
        entitle(figure, "How large initial weights should be", text)
    return figure
