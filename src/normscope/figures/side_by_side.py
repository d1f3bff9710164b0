"""Panels that show the arms of a comparison; `figures.comparisons` puts them together."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.figures.lines import band, label_ends, paper_line
from normscope.figures.look import GREY, INK
from normscope.figures.titles import amount
from normscope.quantities import final
from normscope.statistics import median, running_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from normscope.runs.reader import Run

Arms = Mapping[str, "Sequence[Run]"]  # name of an arm -> its runs, one a seed
Colours = Mapping[str, str]
CHANCE = math.log(10)  # nats, the loss of guessing among ten classes
NEAR_CHANCE = 20  # percent
TEST, TRAINING = "test/accuracy", "training_set/accuracy"


def losses(axis: "Axes", arms: Arms, colours: Colours) -> None:
    """Training loss, a running mean of the logged batches, and the loss of guessing."""
    ends = {
        arm: band(axis, [_smooth(*run.series("train/loss")) for run in runs], colours[arm])
        for arm, runs in arms.items()
    }
    paper_line(axis, CHANCE, f"guessing: ln 10 = {CHANCE:.3f}", GREY)
    highest = max((end for end in ends.values() if math.isfinite(end)), default=0.0)
    axis.set_ylim(0, max(1.2 * CHANCE, 1.1 * highest))  # 1.2: the same for all columns that end below guessing
    _finish(axis, "training loss, nats", arms, colours, ends)


def accuracies(axis: "Axes", arms: Arms, colours: Colours, *, top: float) -> None:
    """Test accuracy, and that of guessing; `top` is the end of the axis, in percent."""
    ends = {arm: band(axis, [_percent(run, TEST) for run in runs], colours[arm]) for arm, runs in arms.items()}
    paper_line(axis, 10, "guessing: 10 %", GREY)
    axis.set_ylim(0, top)
    _finish(axis, "test accuracy, %", arms, colours, ends)


def finals(axis: "Axes", arms: Arms, colours: Colours) -> None:
    """Where each arm ends on the test images, a dot for each seed; and on training images, if they were scored."""
    names = [*arms]
    for row, (arm, runs) in enumerate(arms.items()):
        test, training = ([score(run, name) for run in runs] for name in (TEST, TRAINING))
        _row(axis, row, test, colours[arm], training)
        diverged = sum(run.status == "diverged" for run in runs)
        words = [_number(test, training)] + ([f"{diverged} of {len(runs)} diverged"] if diverged else [])
        axis.annotate(
            ", ".join(word for word in words if word), (1, row), xycoords=("axes fraction", "data"), xytext=(7, 0),
            textcoords="offset points", va="center", color=colours[arm], fontweight="bold", fontsize=12,
        )  # fmt: skip
    if axis.get_xlim()[0] < NEAR_CHANCE:  # else it would squeeze the dots together
        axis.axvline(10, color=GREY, linestyle=(0, (5, 3)), linewidth=1.4, zorder=1.5)
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.grid(axis="y", visible=False)
    axis.set_xlabel("accuracy at the end, %" if _scored(arms) else "test accuracy at the end, %")
    for tick, arm in zip(axis.get_yticklabels(), names, strict=True):
        tick.set(color=colours[arm], fontweight="bold")


def top_of(columns: "Iterable[Arms]") -> float:
    """The end of an axis of test accuracies that holds those of all columns, in percent."""
    found = [
        100 * float(np.nanmax(run.series(TEST)[1], initial=0.1))
        for arms in columns
        for runs in arms.values()
        for run in runs
    ]
    return 1.08 * max(found)


def score(run: "Run", name: str) -> float:
    """The accuracy at the end in percent; nan where it was not measured or the run diverged."""
    return math.nan if run.status == "diverged" else 100 * final(name)(run)


def _row(axis: "Axes", row: int, test: Sequence[float], colour: str, training: Sequence[float]) -> None:
    own, seen = _middle(test), _middle(training)
    if not math.isnan(seen):
        axis.plot([own, seen], [row, row], color=colour, linewidth=5, alpha=0.25, solid_capstyle="butt")
        axis.scatter(training, [row] * len(training), s=60, facecolors="white", edgecolors=colour, zorder=3)
    axis.scatter(test, [row] * len(test), s=60, color=colour, alpha=0.65, linewidths=0, zorder=3)
    axis.plot([own, own], [row - 0.3, row + 0.3], color=colour, linewidth=3, solid_capstyle="butt")


def _number(test: Sequence[float], training: Sequence[float]) -> str:
    own, seen = _middle(test), _middle(training)
    if math.isnan(own):
        return ""
    return f"{own:.1f} %" + ("" if math.isnan(seen) else f", gap {amount(seen - own)}")


def _middle(values: Sequence[float]) -> float:
    """The median of those that were measured."""
    known = [value for value in values if not math.isnan(value)]
    return float(median(known)) if known else math.nan


def _scored(arms: Arms) -> bool:
    return any(len(run.series(TRAINING)[0]) for runs in arms.values() for run in runs)


def _smooth(steps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The running mean of a sixteenth of the logged batches: what is left is wider than the noise of a batch."""
    window = max(1, len(values) // 16)
    return steps[window - 1 :], running_mean(values, window)


def _percent(run: "Run", name: str) -> tuple[np.ndarray, np.ndarray]:
    steps, values = run.series(name)
    return steps, 100 * values


def _finish(axis: "Axes", unit: str, arms: Arms, colours: Colours, ends: Mapping[str, float]) -> None:
    axis.set_ylabel(unit)
    axis.set_xlabel("step")
    axis.margins(x=0.01)
    axis.locator_params(axis="x", nbins=5, integer=True)
    axis.xaxis.set_major_formatter("{x:,.0f}")
    axis.tick_params(labelcolor=INK)
    label_ends(axis, [(height, arm, colours[arm]) for arm, height in ends.items()])
