"""What babysitting a config found: loss curves by learning rate, the tiny subset, the size of the updates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from normscope.figures.lines import label_ends
from normscope.figures.look import GREY, INK, entitle, new_figure
from normscope.figures.titles import amount

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {"too low": "#0072B2", "fine": "#009E73", "too high": "#E69F00", "diverged": "#D55E00"}  # Okabe & Ito 2008
SMOOTHED = 5  # updates
LEAST_RATIO = 1e-8  # the axis begins here at the lowest


@dataclass(frozen=True)
class Babysat:
    """What is drawn.

    Attributes:
        lr: the chosen one.
        rates (R,), fates: of the learning rates, in increasing order.
        curves (R, T), still (T,): losses at each rate, and of the same batches at the weights of the start.
        guess: the loss of guessing.
        ratios (R, 3): median, least and most over the weight tensors of |update| / |weights|.
        band: the ratios that are fine.
        subset_updates (S,), subset (S,): the tiny subset's losses; learnt_below: the bound; images: how many.
        size: images an update at each rate.
    """

    lr: float
    rates: np.ndarray
    fates: Sequence[str]
    curves: np.ndarray
    still: np.ndarray
    guess: float
    ratios: np.ndarray
    band: tuple[float, float]
    subset_updates: np.ndarray
    subset: np.ndarray
    learnt_below: float
    images: int
    size: int


def babysitting_figure(found: Babysat, subject: str, verdict: str) -> "Figure":
    """Three panels: the rates' loss curves, the updates they make, and the tiny subset.

    Args:
        subject: what was looked at; verdict: what it comes to.
    """
    with new_figure(17, 5.6) as figure:
        left, middle, right = figure.subplots(1, 3, width_ratios=(1.25, 1, 1))
        _curves(left, found)
        _ratios(middle, found)
        _subset(right, found)
        entitle(figure, f"{subject}: {verdict}", size=16)
    return figure


def _curves(axis: "Axes", found: Babysat) -> None:
    """Losses less those of the same batches at the start, so that no batch is harder than another, and smoothed."""
    start = float(found.still.mean())
    top, ends = 1.35 * max(start, found.guess), [(found.guess, "guessing", GREY)]
    axis.set_xlim(0, len(found.still) - 1)
    curves = [smooth(np.where(np.isfinite(curve), start + curve - found.still, np.nan)) for curve in found.curves]
    best = int(np.argmin([curve[-1] if np.isfinite(curve[-1]) else np.inf for curve in curves]))
    for place, (rate, fate, curve) in enumerate(zip(found.rates, found.fates, curves, strict=True)):
        is_chosen = rate == found.lr
        axis.plot(curve, color=COLOURS[fate], linewidth=4.0 if is_chosen else 1.6, zorder=3 if is_chosen else 2)
        if is_chosen or (place == best and fate == "fine"):
            height = float(curve[-1]) if np.isfinite(curve[-1]) else top
            ends.append((height, f"{rate:g}" + (", chosen" if is_chosen else ""), COLOURS[fate]))
    lowest = float(np.nanmin([*(np.nanmin(curve, initial=start) for curve in curves), found.guess]))
    axis.set_ylim(max(0.0, lowest - 0.08 * start), top)
    axis.axhline(found.guess, color=GREY, linestyle=(0, (5, 3)), linewidth=1.4, zorder=1.5)
    label_ends(axis, ends)
    axis.set_title("Loss by learning rate")
    axis.set_xlabel(f"update of {found.size} images")
    axis.set_ylabel(f"training loss, nats, mean of {SMOOTHED} updates")


def smooth(curve: np.ndarray) -> np.ndarray:
    """The mean of each value and the few before it; nan from the first nan on."""
    sums = np.cumsum(np.concatenate([[0.0], curve]))
    places = np.arange(1, len(sums))
    first = np.maximum(places - SMOOTHED, 0)
    return (sums[places] - sums[first]) / (places - first)


def _ratios(axis: "Axes", found: Babysat) -> None:
    """How large updates are at each rate; the class of the rate is the colour, and named."""
    axis.set_xscale("log")
    axis.set_xlim(found.rates[0] / 2, found.rates[-1] * 2)
    axis.set_yscale("log")
    axis.axhspan(*found.band, color="#E6E6E6", zorder=0)
    axis.annotate(
        "expected", (0.98, found.band[0]), xycoords=("axes fraction", "data"), xytext=(0, 3),
        textcoords="offset points", color=GREY, fontsize=11, ha="right", va="bottom",
    )  # fmt: skip
    shown = [*found.band, *found.ratios[np.isfinite(found.ratios) & (found.ratios > 0)]]
    bottom = max(LEAST_RATIO, min(shown) / 3)
    for rate, fate, (middle, least, most) in zip(found.rates, found.fates, found.ratios, strict=True):
        if not np.isfinite([middle, least, most]).all():
            continue
        size = 13 if rate == found.lr else 7
        axis.plot([rate, rate], [max(least, bottom), max(most, bottom)], color=COLOURS[fate], linewidth=1.4)
        marker = "o" if middle > bottom else "v"  # below the axis, or 0: such layers do not move
        axis.plot(rate, max(middle, bottom), marker=marker, color=COLOURS[fate], markersize=size, clip_on=False)
    axis.set_ylim(bottom, 3 * max(shown))
    axis.axvline(found.lr, color=GREY, linewidth=1.2, zorder=1)
    for place, (fate, colour) in enumerate(COLOURS.items()):
        count = list(found.fates).count(fate)
        axis.annotate(
            f"{fate}: {count} rate{'' if count == 1 else 's'}", (0.03, 0.97 - 0.07 * place), xycoords="axes fraction",
            color=colour if count else GREY, fontweight="bold" if count else "normal", fontsize=12, va="top",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1},
        )  # fmt: skip
    axis.set_title("Size of the updates")
    axis.set_xlabel(f"learning rate ({found.lr:g} is the chosen one)")
    axis.set_ylabel("|update| / |weights|: layers' median, range")


def _subset(axis: "Axes", found: Babysat) -> None:
    """The loss of the tiny subset, and where it counts as learnt."""
    from matplotlib.ticker import MaxNLocator, NullFormatter

    axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axis.plot(found.subset_updates, np.where(np.isfinite(found.subset), found.subset, np.nan), color=INK)
    axis.set_yscale("log")
    axis.yaxis.set_major_formatter(lambda value, place: amount(value))
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.axhline(found.learnt_below, color=GREY, linestyle=(0, (5, 3)), linewidth=1.4)
    axis.annotate(
        "learnt", (0.01, found.learnt_below), xycoords=("axes fraction", "data"), xytext=(0, 3),
        textcoords="offset points", color=GREY, fontsize=11, va="bottom",
    )  # fmt: skip
    axis.set_xlim(0, max(1, found.subset_updates[-1]))
    axis.set_title(f"Loss of {found.images} images, at {found.lr:g}")
    axis.set_xlabel("update")
    axis.set_ylabel("training loss, nats")
