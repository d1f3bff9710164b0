"""Ioffe & Szegedy 2015, figure 1: sigmoid layers on MNIST, and how their inputs wander."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.claims import Claim, Verdict
from normscope.criteria import difference, ratio, times_the_steps
from normscope.figures import panels
from normscope.figures.arms import shown
from normscope.figures.lines import over_seeds
from normscope.figures.look import arm_colour, arm_name, entitle, new_figure
from normscope.quantities import final, in_points, steps_until
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("none", "batch")
LAYER = "layer3"  # the last hidden one
SHARES = ("p15", "p50", "p85")
SETTLED = 1000  # I4 looks at what comes after these steps

I1 = Claim(
    "I1",
    "MNIST, sigmoid layers: the final test accuracy is at least 0.3 points higher with BatchNorm",
    "0.9 points (98.1 against 97.2; read off figure 1a)",
    "points",
)
I2 = Claim(
    "I2",
    "MNIST, sigmoid layers: 95 % test accuracy takes at most half the steps with BatchNorm",
    "at most 0.3 times (4,900, its first point, against 16,500; read off figure 1a)",
    "x the steps",
)
I3 = Claim(
    "I3",
    "MNIST, last hidden layer: the range over time of the median of a unit's input, in the median over all units, is "
    "at least twice as large without BatchNorm",
    "4 times, for one unit (-0.31 to 1.03 against -0.20 to 0.13; read off figure 1b, c)",
    "x without BatchNorm",
)
I4 = Claim(
    "I4",
    f"MNIST, last hidden layer: the path of the 15th, 50th and 85th percentiles after step {SETTLED:,}, averaged over "
    "all units, is longer without BatchNorm",
    "longer (figure 1b, c)",
    "x without BatchNorm",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """I1 to I4."""
    longer = ratio(path_of_percentiles, worst=np.inf, at_least=np.nextafter(1, 2))
    return [
        *verdicts(I1, runs, [difference(in_points(final("test/accuracy")), worst=-np.inf, at_least=0.3)]),
        *verdicts(I2, runs, [times_the_steps(steps_until("test/accuracy", 0.95), at_most=0.5)]),
        *verdicts(
            I3,
            runs,
            [ratio(final(f"percentiles/{LAYER}/p50_range"), worst=np.inf, at_least=2)],
            reference="batch",
            treated="none",
        ),
        *verdicts(I4, runs, [longer], reference="batch", treated="none"),
    ]


def path_of_percentiles(run: Run) -> float:
    """How far the three percentiles travel after the first steps, together."""
    lengths = []
    for share in SHARES:
        steps, travelled = run.series(f"percentiles/{LAYER}/{share}_variation")
        settled = travelled[steps >= SETTLED]
        lengths.append(settled[-1] - settled[0] if len(settled) > 1 else np.nan)
    return float(np.sum(lengths))


def plot(runs: Sequence[Run]) -> "Figure":
    """Test accuracy; the three percentiles of one unit's input in either network."""
    found = shown(runs, ARMS)
    with new_figure(15.6, 5.8) as figure:
        axes = figure.subplots(1, 3)
        axes[2].sharey(axes[1])
        panels.accuracy(axes[0], found.arms, {})
        axes[0].set_ylim(80, 100)
        for axis, (norm, members) in zip(axes[1:], found.arms.items(), strict=False):
            for share in SHARES:
                steps, middle, *_ = over_seeds([members[0].series(f"percentiles/{LAYER}/{share}")])
                axis.plot(steps, middle, color=arm_colour(norm), linewidth=2.2 if share == "p50" else 1.2)
                if len(steps):
                    axis.annotate(
                        share[1:], (steps[-1], middle[-1]), xytext=(4, 0), textcoords="offset points", va="center"
                    )
            axis.set_title(f"A unit's input {arm_name(norm)}")
            axis.set_xlabel("step")
            axis.set_ylabel(f"input of unit 0 of {LAYER}")
        text = (
            f"{found.caption()} Percentiles 15, 50 and 85 over the batch, of the input of one sigmoid of the last "
            f"hidden layer, seed {found.run.seed}."
        )
        entitle(figure, "Inputs of a sigmoid, over training", text)
    return figure
