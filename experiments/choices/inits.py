"""Initial weights: which of them let a plain network begin to learn, and what BatchNorm leaves of the difference."""

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from normscope.claims import Claim, Verdict, not_run
from normscope.criteria import Criterion, times_the_steps
from normscope.figures.comparisons import Comparison, comparison_figure
from normscope.pairs import ENDED, Setting, option, settings
from normscope.quantities import steps_until_below
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COMPARISON = Comparison(
    title="Initial weights, without and with BatchNorm",
    arm="init",
    arms=("zeros", "gaussian", "default", "glorot_normal", "he_normal", "orthogonal", "lsuv"),
    column="model/norm",
    columns={"none": "without BatchNorm", "batch": "with BatchNorm"},
    names={
        "he_normal": "He",
        "glorot_normal": "Glorot",
        "lsuv": "LSUV",
        "default": "PyTorch's",
        "gaussian": "N(0, 0.01²)",
    },
)
LEARNED = 0.8 * math.log(10)  # A2, nats; 0.8 of the loss of guessing
WINDOW = 10  # logged losses whose mean is compared
SOONER = 0.9  # A2
SHARE = 0.5  # A3
A2 = Claim(
    "A2",
    f"VGG11 without BatchNorm: to a training loss of {LEARNED:.2f} He's init takes at most {SOONER} x Glorot's steps",
    "22 layers: both converge, He's starts reducing the error earlier (He et al. 2015, figure 2)",
    "x the steps",
)
A3 = Claim(
    "A3",
    f"the final training losses of all inits but zeros span a range at most {SHARE} times as wide with BatchNorm",
    "less dependence on the initialisation (no number)",
    "x the range",
)


def plot(runs: Sequence[Run]) -> "Figure":
    """The curves and the ends of every init, without and with BatchNorm."""
    return comparison_figure(runs, COMPARISON)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """A2 without BatchNorm; A3 of He's runs without and with it, each of which stands for all inits of its seed."""
    plain = [run for run in runs if option(run, "model/norm") == "none"]
    sooner = times_the_steps(steps_until_below("train/loss", LEARNED, WINDOW), at_most=SOONER)
    own = [run for run in runs if option(run, "init") == "he_normal"]
    narrower = Criterion(partial(_share, settings(runs, "init")), tie=1, at_most=SHARE)
    return [
        *(
            verdicts(A2, plain, [sooner], arm="init", reference="glorot_normal", treated="he_normal")
            or [not_run(A2, runs[0].scale, "no run with model/norm=none")]
        ),
        *(verdicts(A3, own, [narrower]) or [not_run(A3, runs[0].scale, "no run with init=he_normal")]),
    ]


def _share(alike: Sequence[Setting], without: Run, treated: Run) -> float | None:
    """The range of the final losses over the inits with BatchNorm, divided by that without; None where they are not of
    the same inits, or of one alone."""
    plain, normed = (_final_losses(alike, run) for run in (without, treated))
    if plain.keys() != normed.keys() or len(plain) < 2:
        return None
    wide, narrow = (max(losses.values()) - min(losses.values()) for losses in (plain, normed))
    return narrow / wide if wide > 0 and min(wide, narrow) < math.inf else math.nan


def _final_losses(alike: Sequence[Setting], run: Run) -> dict[str, float]:
    """Init -> the loss at the end of its run, of a run's setting and seed; infinite where it diverged."""
    setting = next(setting for setting in alike if run in setting.arms.get("he_normal", ()))
    return {
        init: math.inf if other.status == "diverged" else float(other.series("train/loss")[1][-WINDOW:].mean())
        for init, members in setting.arms.items()
        for other in members
        if init != "zeros" and other.seed == run.seed and other.status in ENDED
    }
