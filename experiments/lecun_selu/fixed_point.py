"""Klambauer et al. 2017: the fixed point of SELU, layer by layer, before training."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from normscope.claims import Claim, Verdict
from normscope.criteria import of_treated
from normscope.errors import UsageError
from normscope.figures.arms import fullest
from normscope.figures.depth import over_depth
from normscope.figures.look import entitle, new_figure
from normscope.quantities import Quantity, first
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEPTH = 32
LAYERS = range(1, DEPTH + 1)
INITS = ("lecun_normal", "standard", "default")
NEAR, LOW, HIGH = 0.1, 0.8, 1.2  # L1
SILENT = 1e-4  # L2

L1 = Claim(
    "L1",
    f"{DEPTH} layers of SELU from N(0, 1/n): in every layer the mean of the activations is within ±{NEAR:g} and their "
    f"variance in {LOW:g} to {HIGH:g} (shown: the largest mean, without its sign)",
    "0 and 1, the fixed point",
    "largest mean",
)
ELSE = {  # where the signal is to end: (name, activation, init, what is claimed of it)
    "L2, ReLU": ("relu", "lecun_normal", "ReLU from N(0, 1/n)"),
    "L2, usual weights": ("selu", "standard", "SELU from U(−1/√n, 1/√n), biases 0"),
    "L2, PyTorch": (
        "selu",
        "default",
        "SELU from PyTorch's default, which is the same with biases from U(−1/√n, 1/√n)",
    ),
}


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """L1, and L2 in three kinds; every run is held against the numbers by itself."""
    stays = [
        of_treated(largest_mean, worst=math.inf, at_most=NEAR),
        of_treated(extreme(min), worst=0, at_least=LOW),
        of_treated(extreme(max), worst=math.inf, at_most=HIGH),
    ]
    found = of_init(L1, [run for run in runs if run.choices["model/activation"] == "selu"], "lecun_normal", stays)
    for name, (activation, init, what) in ELSE.items():
        claim = Claim(
            name,
            f"{DEPTH} layers of {what}: the variance of the last layer's activations is at most {SILENT:g}",
            "about 1e-10 (ReLU) and 1e-6 (the usual weights), computed beforehand without biases",
            "variance",
        )
        own = [run for run in runs if run.choices["model/activation"] == activation]
        found += of_init(claim, own, init, [of_treated(variance(DEPTH), worst=math.inf, at_most=SILENT)])
    return found


def of_init(claim: Claim, runs: Sequence[Run], init: str, criteria: Sequence) -> list[Verdict]:
    """A claim about the runs of one initialisation."""
    return verdicts(claim, runs, criteria, arm="init", reference=init, treated=init)


def variance(layer: int) -> Quantity:
    """The variance of a layer's activations, over units and inputs."""
    return lambda run: first(f"activation_std/layer{layer}")(run) ** 2


def extreme(choose: Callable[[Iterable[float]], float]) -> Quantity:
    """The smallest or the largest variance of a layer."""
    return lambda run: choose(variance(layer)(run) for layer in LAYERS)


def largest_mean(run: Run) -> float:
    """The mean of the layer whose mean is farthest from 0, without its sign."""
    return max(abs(first(f"activation_mean/layer{layer}")(run)) for layer in LAYERS)


def plot(runs: Sequence[Run]) -> "Figure":
    """Mean and standard deviation layer by layer, of SELU and of ReLU."""
    drawn = []
    for activation, name in (("selu", "SELU"), ("relu", "ReLU")):
        own = [run for run in runs if run.choices["model/activation"] == activation]
        if found := fullest(own, INITS, arm="init"):
            drawn.append((name, found))
    if not drawn:
        raise UsageError("no run of SELU or ReLU has ended: nothing to draw; let the sweep go on to its end")
    with new_figure(13.4, 5.2 * len(drawn) + 1.4) as figure:
        axes = figure.subplots(len(drawn), 2, squeeze=False)
        for row, (name, found) in zip(axes, drawn, strict=True):
            over_depth(row[0], found.arms, "activation_mean/{layer}", "mean", f"{name}: mean of the activations")
            over_depth(row[1], found.arms, "activation_std/{layer}", "std", f"{name}: their standard deviation")
        text = (
            f"{drawn[0][1].caption()} LeCun: N(0, 1/n), biases 0; standard: U(−1/√n, 1/√n), biases 0; PyTorch's: the "
            "same with biases from that interval. Lines: medians over the seeds, bands: ranges."
        )
        entitle(figure, "Mean 0 and variance 1, thirty-two layers deep", text)
    return figure
