"""A number of each run against a setting that was swept."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from normscope.errors import UsageError
from normscope.families import families, members
from normscope.figures.arms import Shown, fullest
from normscope.figures.lines import label_ends, paper_line
from normscope.figures.look import GREY, arm_colour, arm_name, entitle, new_figure
from normscope.pairs import ARM
from normscope.quantities import Quantity
from normscope.statistics import median

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from normscope.runs.reader import Run


def shown_families(runs: "Sequence[Run]", options: Sequence[str], *, over: str, arm: str = ARM) -> Shown:
    """The setting with most to show, the runs of each arm and seed taken together over a setting that was swept.

    Raises:
        UsageError: if no run of these options has ended.
    """
    found = fullest(families(runs, over), options, arm=arm)
    if found is None:
        raise UsageError(
            f"no run with {arm}={' or '.join(options)} has ended: nothing to draw; let the sweep go on to its end"
        )
    return found


def over_setting(axis: "Axes", arms: "Mapping[str, Sequence[Run]]", quantity: Quantity) -> list[tuple[float, str, str]]:
    """A line for each arm, the median over the seeds, and a point for each seed, over a logarithmic axis.

    Args:
        arms: option -> its families, all of the same values.
        quantity: of a single run; nan leaves a gap.
    Returns:
        What `label_ends` writes beside the lines, once the limits of the axis are final.
    """
    ends = []
    for arm, own in arms.items():
        values = list(members(own[0]))
        curves = [[quantity(run) for run in members(family).values()] for family in own]
        middles = median(curves, axis=0)
        axis.plot(values, middles, color=arm_colour(arm), marker="o", markersize=5)
        for curve in curves:
            axis.plot(values, curve, color=arm_colour(arm), marker=".", linestyle="none", alpha=0.6)
        ends.append((float(middles[-1]), arm_name(arm).replace(" ", "\n", 1), arm_colour(arm)))
    axis.set_xscale("log")
    return ends


def rates_figure(
    found: Shown, quantity: Quantity, *, ylabel: str, top: float, level: tuple[float, str], title: str, text: str
) -> "Figure":
    """A number of each run against its learning rate, and a level that tells those that train from the others.

    Args:
        found: families over optimizer.lr; quantity: of a single run; ylabel, top: of its axis, from 0.
        level: the number and its name; title, text: above and, behind what was run, below.
    """
    with new_figure(9.6, 6.4) as figure:
        axis = figure.subplots()
        ends = over_setting(axis, found.arms, quantity)
        axis.set_ylim(0, top)
        rates = list(members(next(iter(found.arms.values()))[0]))
        axis.set_xticks(rates, [f"{lr:g}" for lr in rates], minor=False)
        axis.minorticks_off()
        paper_line(axis, *level, GREY)
        axis.set(xlabel="learning rate", ylabel=ylabel)
        label_ends(axis, ends)
        entitle(figure, title, f"{found.caption()} {text}")
    return figure
