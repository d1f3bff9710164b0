"""A search as points: the score of every trial over each setting."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from normscope.figures.look import INK, entitle, new_figure
from normscope.searches.record import Search, Tried
from normscope.searches.space import Interval, Listed, Setting

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINT, BEST, LOST = "#0072B2", "#E69F00", "#D55E00"  # Okabe & Ito 2008
COLUMNS = 3
LOG_FROM = 50  # times from the best to the worst loss: then its axis is logarithmic


def search_figure(search: Search, trials: Sequence[Tried], shares: Mapping[str, tuple[float, float]]) -> "Figure":
    """A panel for each setting: the score of every trial over it, the best marked, those without a score below.

    Args:
        trials: best first, at least one.
        shares: setting -> how much of the scores it explains, and the p-value; nan where nothing can be told.
    """
    columns = 2 if len(search.space) in (1, 2, 4) else COLUMNS
    rows = -(-len(search.space) // columns)
    with new_figure(5.2 * columns, 4.4 * rows + 1.1) as figure:
        axes = figure.subplots(rows, columns, squeeze=False, sharey=True)
        for axis, setting in zip(axes.flat, search.space, strict=False):
            points(axis, search, trials, setting)
            axis.set_title(f"{setting.key}\n{in_words(*shares[setting.key])}")
            axis.tick_params(labelleft=True)
        for axis in axes.flat[len(search.space) :]:
            axis.set_visible(False)
        for axis in axes[:, 0]:
            axis.set_ylabel(scored(search))
        entitle(figure, headline(search, trials), caption(search, trials), size=17)
    return figure


def points(axis: "Axes", search: Search, trials: Sequence[Tried], setting: Setting) -> None:
    """The trials over one setting; call it once an axis, whose heights are those of all panels."""
    heights = [shown(search, trial.score) for trial in trials]
    places = [place(setting, trial.settings[setting.key], number) for number, trial in enumerate(trials)]
    scored = [number for number, height in enumerate(heights) if math.isfinite(height)]
    lost = [number for number in range(len(trials)) if number not in scored]
    axis.scatter([places[i] for i in scored[1:]], [heights[i] for i in scored[1:]], s=34, color=POINT, alpha=0.65, lw=0)
    axis.scatter([places[i] for i in scored[:1]], [heights[i] for i in scored[:1]], s=260, marker="*", color=BEST,
                 edgecolor=INK, linewidth=0.8, zorder=3)  # fmt: skip
    axis.scatter([places[i] for i in lost], [0.02] * len(lost), s=40, marker="x", color=LOST,
                 transform=axis.get_xaxis_transform(), clip_on=False)  # fmt: skip
    finite = [heights[i] for i in scored]
    if finite and not search.larger_is_better and max(finite) > LOG_FROM * min(finite) > 0:
        axis.set_yscale("log")
    axis.margins(y=0.12)
    if isinstance(setting, Listed):
        axis.set_xticks(range(len(setting.values)), setting.values)
        axis.set_xlim(-0.6, len(setting.values) - 0.4)
        return
    axis.set_xscale("log" if setting.log else "linear")
    lower, upper = setting.beyond(0.03)
    axis.set_xlim(lower, upper)
    if setting.whole and not setting.log:
        axis.locator_params(axis="x", integer=True)


def place(setting: Setting, value: float | str, number: int) -> float:
    """Where a trial stands on a setting's axis; those of a listed value are spread, so that each can be seen."""
    if isinstance(setting, Interval):
        return float(value)
    golden = (number * 0.618034) % 1 - 0.5
    return setting.values.index(str(value)) + 0.5 * golden


def shown(search: Search, score: float) -> float:
    """The score in the unit of the axis."""
    return 100 * score if search.score.endswith("accuracy") else score


def scored(search: Search) -> str:
    """The name of the score's axis."""
    return "validation accuracy, %" if search.score.endswith("accuracy") else "validation loss, nats"


def in_words(share: float, p: float) -> str:
    """What a setting explains, e.g. "explains 62 % of the ranks (p < 0.001)"."""
    if math.isnan(share):
        return "its part cannot be told"
    return f"explains {100 * share:.0f} % of the ranks ({p_value(p)})"


def p_value(p: float) -> str:
    """A p-value in words."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.1g}" if p < 0.1 else f"p = {p:.2f}"


def headline(search: Search, trials: Sequence[Tried]) -> str:
    """What the best trial reached."""
    if not math.isfinite(trials[0].score):
        return f"None of {len(trials)} trials has a score"
    unit = " %" if search.score.endswith("accuracy") else " nats"
    return f"The best of {len(trials)} trials reaches {shown(search, trials[0].score):.3g}{unit}"


def caption(search: Search, trials: Sequence[Tried]) -> str:
    """What was searched, by what, and how to read it."""
    config = search.config
    without = sum(not math.isfinite(trial.score) for trial in trials)
    length = f"{config['steps']:,} steps" if config.get("steps") is not None else f"{config.get('epochs'):g} epochs"
    images = f"{config['dataset'].get('validation'):,} validation images"
    images += f" of each of {search.folds} folds" if search.folds > 1 else ""
    return (
        f"search={search.method}, n = {len(trials)} trials of {length}, {without} of them without a score (crosses: "
        f"diverged or failed); scored at the end on {images}; the test set was not looked at. Star: the best trial. "
        "So much of the variance of the scores' ranks is explained by a setting alone (Kruskal & Wallis, five bins a "
        "range; less what is chance); p by 2,000 permutations."
    )
