"""Optimizers, each at the learning rate that does best on validation images, and how much the rate matters."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from normscope.claims import Verdict
from normscope.figures.comparisons import HOW_TO_READ, Comparison, annotate, select
from normscope.figures.look import new_figure
from normscope.figures.rates import Rates, best_rate, by_rate
from normscope.figures.side_by_side import accuracies, finals, losses, top_of
from normscope.pairs import ENDED
from normscope.runs.reader import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")
NAMES = ("SGD", "momentum", "Nesterov", "AdaGrad", "RMSProp", "Adam")
COMPARISON = Comparison(
    title="Optimizers, each at the learning rate that is best on validation images",
    arm="optimizer",
    arms=ARMS,
    names=dict(zip(ARMS, NAMES, strict=True)),
)
CHOSEN = "Learning rate: the highest median validation accuracy at the end. "


def plot(runs: Sequence[Run]) -> "Figure":
    """The curves and the ends of every optimizer at its rate, and all rates.

    Raises:
        UsageError: if no run has ended.
    """
    plain = COMPARISON.colours()
    rates = rates_of(runs)
    best = {arm: best_rate(found) for arm, found in rates.items()}
    named = replace(COMPARISON, names={arm: f"{COMPARISON.name(arm)} {lr:g}" for arm, lr in best.items()})
    chosen = select([run for arm, lr in best.items() for run in rates[arm][lr]], named)
    arms, colours = chosen.columns[""], named.colours()
    with new_figure(12.4, 12) as figure:
        axes = figure.subplots(2, 2)
        losses(axes[0, 0], arms, colours)
        accuracies(axes[0, 1], arms, colours, top=top_of([arms]))
        finals(axes[1, 0], arms, colours)
        by_rate(axes[1, 1], {COMPARISON.name(arm): found for arm, found in rates.items()}, plain)
        annotate(figure, named, chosen, CHOSEN + HOW_TO_READ)
    return figure


def rates_of(runs: Sequence[Run]) -> dict[str, Rates]:
    """Optimizer -> learning rate -> its ended runs, of the setting that is drawn."""
    setting = select(runs, COMPARISON).setting
    found: dict[str, dict[float, list[Run]]] = {}
    for arm in ARMS:
        for run in setting.arms.get(arm, []):
            if run.status in ENDED:
                found.setdefault(arm, {}).setdefault(run.config["optimizer"]["lr"], []).append(run)
    return dict(found)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """None: the seminar named no order among them."""
    return []
