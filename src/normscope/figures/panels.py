"""Panels that compare arms of training; each says in its title what its data show."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.figures.lines import Series, band, between, label_ends, over_seeds, paper_line
from normscope.figures.look import GREY, arm_colour, arm_name
from normscope.figures.ridges import Histogram, ridges, share_at_zero, size
from normscope.figures.titles import amount, fate, label, last, listed, sentence
from normscope.statistics import median, running_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from normscope.runs.reader import Run

Arms = Mapping[str, "Sequence[Run]"]  # option of model/norm -> its runs
LOG_FROM = 50  # times from the least to the most: then an axis is logarithmic


def loss(axis: "Axes", arms: Arms, classes: int = 10) -> None:
    """Training loss, the running mean of logged batches, and the loss of guessing, ln K."""
    chance = math.log(classes)
    curves = {norm: [smooth(run.series("train/loss")) for run in runs] for norm, runs in arms.items()}
    ends = {norm: band(axis, own, arm_colour(norm)) for norm, own in curves.items()}
    paper_line(axis, chance, f"guessing: ln {classes} = {chance:.3f}", GREY)
    axis.set_ylim(0, min(max(axis.get_ylim()[1], 1.15 * chance), 2 * chance))
    fates = {norm: fate(runs, curves[norm], chance) for norm, runs in arms.items()}
    finish(axis, sentence("the loss", fates), "training loss, nats", arms, ends)


def accuracy(axis: "Axes", arms: Arms, published: Mapping[str, float], classes: int = 10) -> None:
    """Test accuracy, that of guessing, and the published final values if there are any."""
    curves = {
        norm: [(steps, 100 * values) for steps, values in (run.series("test/accuracy") for run in runs)]
        for norm, runs in arms.items()
    }
    ends = {norm: band(axis, own, arm_colour(norm)) for norm, own in curves.items()}
    paper_line(axis, 100 / classes, f"guessing: {100 / classes:.0f} %", GREY)
    for norm, value in published.items():
        paper_line(axis, 100 * value, "", arm_colour(norm))
    if published:
        ends_of = ", ".join(f"{100 * value:.0f} % {arm_name(norm).split()[0]}" for norm, value in published.items())
        axis.text(
            0.99,
            0.02,
            f"dashed above: published, {ends_of}",
            transform=axis.transAxes,
            ha="right",
            color=GREY,
            fontsize=11,
        )
    axis.set_ylim(0, 100)
    finals = {norm: f"{last(own):.0f} %" for norm, own in curves.items() if not math.isnan(last(own))}
    finish(axis, listed("The test accuracy ends at", finals), "test accuracy, %", arms, ends)


def landscape(axis: "Axes", arms: Arms) -> None:
    """The band of the loss over steps of several lengths along the gradient."""
    ends = draw_bands(axis, arms, "loss_landscape")
    if axis.get_yscale() == "linear":
        axis.set_ylim(bottom=0)
    widths = {
        norm: typical([combined(run, "loss_landscape/max", "loss_landscape/min", np.subtract) for run in runs])
        for norm, runs in arms.items()
    }
    known = {norm: amount(value) for norm, value in widths.items() if not math.isnan(value)}
    finish(
        axis,
        listed("Along the gradient the loss varies by", known, " nats"),
        "loss along the gradient, nats",
        arms,
        ends,
    )


def predictiveness(axis: "Axes", arms: Arms) -> None:
    """The band of the gradient's change over those steps, and its own length (dotted): far below it, it predicts."""
    ends = draw_bands(axis, arms, "gradient_predictiveness")
    for norm, runs in arms.items():
        steps, middle, *_ = over_seeds([run.series("gradient_norm") for run in runs])
        axis.plot(steps, middle, color=arm_colour(norm), linestyle=(0, (1, 1.5)), linewidth=2)
    shares = {
        norm: typical([combined(run, "gradient_predictiveness/max", "gradient_norm", np.divide) for run in runs])
        for norm, runs in arms.items()
    }
    known = {norm: amount(100 * value) for norm, value in shares.items() if not math.isnan(value)}
    title = listed("There the gradient changes, in percent, by", known)
    if not known and not all(math.isnan(end) for end in ends.values()):
        title = "How far the gradient changes there"
    finish(axis, title, "change of the gradient, L2 norm", arms, ends)


def activations(axis: "Axes", arms: Arms, layer: str, which: str) -> None:
    """What a layer puts out, at several steps: the first run of each arm."""
    found = {norm: runs[0].histograms(f"activations/{layer}") for norm, runs in arms.items() if runs}
    drawn = ridges(axis, {arm_colour(norm): histograms for norm, histograms in found.items()})
    if not drawn:
        axis.set(xticks=[], yticks=[])
    sizes = {norm: amount(size(own)) for norm, own in found.items() if own}
    axis.set_title(listed(f"{which} layer: activations of size", sizes))
    axis.set_xlabel(f"activation of {layer}" + (", powers of ten" if axis.get_xscale() == "log" else ""))
    axis.set_ylabel("step")
    height = 0.8 * axis.get_ylim()[1]
    label_ends(
        axis, [(height, label(norm, arms[norm]) + zeros(own), arm_colour(norm)) for norm, own in found.items() if own]
    )


def zeros(histograms: "Sequence[Histogram]") -> str:
    """A line about the lowest bin, which the ridge leaves out; "" where it is not at 0."""
    share = share_at_zero(histograms)
    return "" if math.isnan(share) else f"\n{100 * share:.0f} % ≈ 0"


def finish(axis: "Axes", title: str, unit: str, arms: Arms, ends: Mapping[str, float]) -> None:
    """Title, axes, and the names of the lines where they end."""
    axis.set_title(title)
    axis.set_ylabel(unit)
    axis.set_xlabel("step")
    axis.margins(x=0.01)
    left, right = axis.get_xlim()
    if right - left < 1:  # of a single step
        axis.set_xlim(left - 1, right + 1)
    axis.locator_params(axis="x", nbins=5, integer=True)
    axis.xaxis.set_major_formatter("{x:,.0f}")
    if all(math.isnan(height) for height in ends.values()):
        axis.set(xticks=[], yticks=[])
    label_ends(axis, [(height, label(norm, arms[norm]), arm_colour(norm)) for norm, height in ends.items()])


def draw_bands(axis: "Axes", arms: Arms, name: str) -> dict[str, float]:
    """The band min .. max of a probe for each arm, medians over the seeds; returns where each ends."""
    lower, upper = (
        {norm: [run.series(f"{name}/{edge}") for run in runs] for norm, runs in arms.items()} for edge in ("min", "max")
    )
    drawn = [*lower.values(), *upper.values()]
    values = np.concatenate([values for curves in drawn for _, values in curves])
    values = values[np.isfinite(values)]
    if len(values) and values.min() > 0 and values.max() > LOG_FROM * values.min():
        axis.set_yscale("log")
    return {norm: between(axis, lower[norm], upper[norm], arm_colour(norm)) for norm in arms}


def smooth(series: Series) -> Series:
    """The running mean of a sixtieth of the points, at most 50."""
    steps, values = series
    window = min(50, max(1, len(values) // 60))
    return steps[window - 1 :], running_mean(values, window)


def combined(run: "Run", name: str, other: str, operation: np.ufunc) -> np.ndarray:
    """An operation on two series of a run, at the steps that both have."""
    (steps, values), (other_steps, other_values) = run.series(name), run.series(other)
    _, ours, theirs = np.intersect1d(steps, other_steps, return_indices=True)
    with np.errstate(all="ignore"):
        return np.asarray(operation(values[ours], other_values[theirs]))


def typical(found: Sequence[np.ndarray]) -> float:
    """The median over the runs of each one's median over its steps; nan if nothing was measured."""
    middles = [median(values[~np.isnan(values)]) for values in found if (~np.isnan(values)).any()]
    return float(median(middles)) if middles else math.nan


def quantity(
    axis: "Axes", arms: Arms, name: str, unit: str, beginning: str, *, factor: float = 1, linear: bool = False
) -> None:
    """A series of each arm over the steps, on a logarithmic axis where its values are far apart.

    Args:
        linear: never on a logarithmic one, as a cosine.
    """
    curves = {
        norm: [(steps, factor * values) for steps, values in (run.series(name) for run in runs)]
        for norm, runs in arms.items()
    }
    values = np.concatenate([values for own in curves.values() for _, values in own])
    values = values[np.isfinite(values)]
    if not linear and len(values) and values.min() > 0 and values.max() > LOG_FROM * values.min():
        axis.set_yscale("log")
    ends = {norm: band(axis, own, arm_colour(norm)) for norm, own in curves.items()}
    middles = {norm: typical([values for _, values in own]) for norm, own in curves.items()}
    known = {norm: amount(value) for norm, value in middles.items() if not math.isnan(value)}
    finish(axis, listed(beginning, known), unit, arms, ends)


def covariate_shift(row: "Sequence[Axes]", arms: Arms, layer: str, least: float = 0.0) -> None:
    """Two panels: how far the layers before change a layer's gradient, and whether it keeps its direction."""
    shift, cosine = (f"covariate_shift/{layer}/{what}" for what in ("l2", "cosine"))
    quantity(row[0], arms, shift, "‖G − G′‖", f"The layers before {layer} change its gradient by")
    quantity(row[1], arms, cosine, "cosine of G and G′", f"Cosine of {layer}'s gradient before and after", linear=True)
    row[1].set_ylim(min(least, row[1].get_ylim()[0]), 1.05)
