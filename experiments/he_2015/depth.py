"""He et al. 2015, figures 2 and 3: which networks of 22 and of 30 layers train from which initialisation."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from normscope.claims import Claim, Verdict
from normscope.criteria import difference, of_reference, of_treated, ratio
from normscope.errors import UsageError
from normscope.figures import panels
from normscope.figures.arms import fullest
from normscope.figures.look import entitle, new_figure
from normscope.quantities import Quantity, mean_of
from normscope.runs.reader import Run
from normscope.statistics import steps_to
from normscope.verdicts import medians, verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("he_normal", "lecun_normal")
CHANCE, STALLED, LEARNED = math.log(10), 0.01, 0.7
WINDOW = 10  # logged batches
AT_THE_END = mean_of("train/loss", 0.95)

H2 = Claim(
    "H2",
    "30 layers of ReLU: from std √(1/n) the training loss (mean of the last 5 %) stays within 1 % of ln 10, from He's "
    "√(2/n) it falls below 0.7 ln 10 (shown: the difference)",
    "Xavier's stalls completely, He's converges (figure 3)",
    "nats higher",
)
H3 = Claim(
    "H3",
    "22 layers of ReLU: both initialisations bring the running mean of ten logged batches below 0.7 ln 10, He's in "
    "fewer steps",
    "both converge, He's starts reducing the error earlier (figure 2)",
    "x the steps",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """H2 at 30 layers, H3 at 22; the last layer is the classifier. The opposite order contradicts it."""
    how: Any = {"arm": "init", "reference": ARMS[0], "treated": ARMS[1]}
    stalls = [
        difference(AT_THE_END, worst=math.inf, at_least=(1 - STALLED - LEARNED) * CHANCE),
        of_reference(AT_THE_END, worst=math.inf, tie=math.inf, at_most=LEARNED * CHANCE),
        of_treated(from_chance(AT_THE_END), worst=math.inf, tie=math.inf, at_most=STALLED),
    ]
    later = [
        ratio(until_learned, worst=math.inf, at_least=np.nextafter(1, 2)),
        of_reference(until_learned, worst=math.inf, tie=math.inf, at_most=np.finfo(float).max),
        of_treated(until_learned, worst=math.inf, tie=math.inf, at_most=np.finfo(float).max),
    ]
    return [
        *verdicts(H2, of_depth(runs, 30), stalls, **how, notes=medians("He", "Xavier", AT_THE_END)),
        *verdicts(H3, of_depth(runs, 22), later, **how, notes=medians("He", "Xavier", until_learned)),
    ]


def of_depth(runs: Sequence[Run], layers: int) -> list[Run]:
    """The runs with so many layers of weights."""
    return [run for run in runs if run.config["model"]["hidden_layers"] == layers - 1]


def from_chance(loss: Quantity) -> Quantity:
    """By which share a loss differs from that of guessing."""
    return lambda run: abs(loss(run) / CHANCE - 1)


def until_learned(run: Run) -> float:
    """Steps until the running mean of the loss falls below 0.7 ln 10; infinity if it never does."""
    steps, losses = run.series("train/loss")
    return steps_to(steps, -losses, -LEARNED * CHANCE, WINDOW) if len(steps) >= WINDOW else math.nan


def plot(runs: Sequence[Run]) -> "Figure":
    """The training loss of both depths, and what gradient reaches the first layer."""
    depths = [(layers, fullest(of_depth(runs, layers), ARMS, arm="init")) for layers in (22, 30)]
    drawn = [(layers, found) for layers, found in depths if found is not None]
    if not drawn:
        raise UsageError(
            "no run with 21 or 29 hidden layers has ended: nothing to draw; let the sweep go on to its end"
        )
    with new_figure(13.4, 5.2 * len(drawn) + 1.4) as figure:
        axes = figure.subplots(len(drawn), 2, squeeze=False)
        for row, (layers, found) in zip(axes, drawn, strict=True):
            panels.loss(row[0], found.arms)
            row[0].set_title(f"{layers} layers: training loss")
            panels.quantity(row[1], found.arms, "weight_gradient_std/layer1", "std of ∂L/∂W, nats", "")
            row[1].set_title(f"{layers} layers: gradient of the first")
        text = (
            f"{drawn[-1][1].caption()} He: std √(2/n); LeCun: √(1/n), which the paper calls Xavier's; n: the fan-in; "
            "weight decay 5e-4. Loss: running means of the logged batches; lines: medians over the seeds, bands: "
            "ranges."
        )
        entitle(figure, "Which deep networks of ReLU train", text)
    return figure
