"""How optimizers walk over four surfaces of two weights. It needs no runs: everything is computed in seconds."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import optim

from normscope.claims import Verdict
from normscope.figures.trajectories import Landscape, trajectories_figure
from normscope.optimizers.lbfgs import LBFGS
from normscope.optimizers.newton import Newton
from normscope.optimizers.trajectories import Surface, ravine, rosenbrock, saddle, trajectory, two_minima
from normscope.runs.reader import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NEEDS_RUNS = False

FAMILIES: dict[str, dict[str, Callable[..., optim.Optimizer]]] = {  # as in configs/optimizer, but for the rate
    "One rate for all weights": {
        "SGD": optim.SGD,
        "Momentum": partial(optim.SGD, momentum=0.9),
        "Nesterov": partial(optim.SGD, momentum=0.9, nesterov=True),
    },
    "A rate for each weight": {
        "AdaGrad": optim.Adagrad,
        "RMSProp": partial(optim.RMSprop, alpha=0.9),
        "Adadelta": partial(optim.Adadelta, rho=0.95),
        "Adafactor": optim.Adafactor,
    },
    "Both: Adam and its kin": {
        "Adam": optim.Adam,
        "Nadam": optim.NAdam,
        "AdaMax": optim.Adamax,
        "RAdam": optim.RAdam,
    },
    "Curvature": {
        "L-BFGS": partial(
            LBFGS, max_iter=1, max_eval=25, history_size=10, line_search_fn="strong_wolfe", mini_batches=False
        ),
        "Newton": partial(Newton, damping=0.0, most_weights=2, mini_batches=False),
    },
}
KIN = ("Adam", "Nadam", "AdaMax", "RAdam")
CURVATURE = {"L-BFGS": 1.0, "Newton": 1.0}

# "Deep Learning from Scratch", optimizer_compare_naive: SGD 0.95, Momentum 0.1, AdaGrad 1.5, Adam 0.3, 30 steps from
# (-7, 2). The rates of the others, and of the other surfaces, are our choice.
RAVINE = {"SGD": 0.95, "Momentum": 0.1, "Nesterov": 0.1, "AdaGrad": 1.5, "RMSProp": 0.3, "Adadelta": 50.0}
RAVINE |= {"Adafactor": 0.3, **dict.fromkeys(KIN, 0.3), **CURVATURE}
SADDLE = {"SGD": 0.1, "Momentum": 0.1, "Nesterov": 0.1, "AdaGrad": 0.3, "RMSProp": 0.05, "Adadelta": 10.0}
SADDLE |= {"Adafactor": 0.1, **dict.fromkeys(KIN, 0.05), **CURVATURE}
TWO_MINIMA = {"SGD": 0.02, "Momentum": 0.02, "Nesterov": 0.02, "AdaGrad": 0.3, "RMSProp": 0.05, "Adadelta": 10.0}
TWO_MINIMA |= {"Adafactor": 0.1, **dict.fromkeys(KIN, 0.1), **CURVATURE}
ROSENBROCK = {"SGD": 0.001, "Momentum": 0.001, "Nesterov": 0.001, "AdaGrad": 0.3, "RMSProp": 0.02, "Adadelta": 10.0}
ROSENBROCK |= {"Adafactor": 0.05, **dict.fromkeys(KIN, 0.1), **CURVATURE}
ROSENBROCK["RAdam"] = 0.003  # its first five steps are as long as the gradient: with 0.1 they leave the picture


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """None: a picture of what optimizers do, not of what somebody measured."""
    return []


def plot(runs: Sequence[Run]) -> "Figure":
    """The ways over the four surfaces; `runs` is empty."""
    two_names = "Two minima, 60 steps\n(x² − 1)² + 3x/10 + y²/2"
    bend = "Rosenbrock, 300 steps\n(1 − x)² + 100 (y − x²)²"
    landscapes = [
        landscape("Ravine, 30 steps\nx²/20 + y²", ravine, (-7, 2), RAVINE, 30, (-8, 4, -3, 3), [(0, 0)]),
        landscape(
            "Saddle, 60 steps\nx²/2 − y²/2 + y⁴/4",
            saddle,
            (-1.5, 0.01),
            SADDLE,
            60,
            (-1.8, 1.2, -1.5, 1.5),
            [(0, 1), (0, -1)],
        ),
        landscape(
            two_names, two_minima, (1.9, 1.2), TWO_MINIMA, 60, (-2, 2.1, -1.5, 1.5), [(-1.0356, 0)], [(0.9601, 0)]
        ),
        landscape(bend, rosenbrock, (-1.2, 1), ROSENBROCK, 300, (-1.8, 1.8, -0.8, 2.2), [(1, 1)]),
    ]
    return trajectories_figure(landscapes, [*FAMILIES])


def landscape(
    title: str,
    surface: Surface,
    start: tuple[float, float],
    rates: Mapping[str, float],
    steps: int,
    extent: tuple[float, float, float, float],
    minima: Sequence[tuple[float, float]],
    local_minima: Sequence[tuple[float, float]] = (),
) -> Landscape:
    """A surface with the way of every optimizer at its rate."""
    ways = [
        {
            f"{name} {rates[name]:g}": trajectory(surface, start, partial(optimizer, lr=rates[name]), steps)
            for name, optimizer in family.items()
        }
        for family in FAMILIES.values()
    ]
    return Landscape(title, lambda w: surface(torch.as_tensor(w)).numpy(), extent, minima, local_minima, ways)
