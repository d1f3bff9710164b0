"""Santurkar et al. 2018, figures 4 and 11: loss landscape, gradient predictiveness, effective smoothness."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.chance import at_chance
from normscope.claims import Claim, Verdict
from normscope.criteria import ratio
from normscope.figures import panels
from normscope.figures.arms import shown
from normscope.figures.look import entitle, new_figure
from normscope.quantities import median_log_ratio, median_of, percentile_of
from normscope.runs.reader import Run
from normscope.step_by_step import share_wider
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RUNS = "santurkar_2018/vgg"
ARMS = ("none", "batch")
MIDDLE = (1 / 30, 2 / 3)  # of the run: steps 500 to 10,000 of the paper's 15,000
EARLY = (0.0, 1 / 3)  # steps 0 to 5,000
MOSTLY = 0.7  # S4a: at this share of the probes

S4A = Claim(
    "S4a",
    "VGG, lr 0.1, steps 1/30 to 2/3 of the run: the median of log(max/min) of the loss along the gradient is at least "
    "1.5 times as large without BatchNorm, and it is the larger one at 70 % of the probes or more",
    "4.3 times (0.64 against 0.147), larger at 86 % of the probes (read off figure 4a)",
    "x without BatchNorm",
)
S4B = Claim(
    "S4b",
    "same steps: the median of the largest change of the gradient along itself is at least 1.5 times as large without "
    "BatchNorm",
    "2.5 times (57 against 22; read off figure 4b), where the text says close to two orders of magnitude",
    "x without BatchNorm",
)
S4C = Claim(
    "S4c",
    "first third of the run: the 95th percentile of effective beta is at least 1.3 times as large without BatchNorm "
    "(medians sit on the grid's own bound in both)",
    "1.9 times (37.5 against 20.0; read off figure 4c)",
    "x without BatchNorm",
)
S4F = Claim(
    "S4f",
    "the change of the gradient at 4 lr divided by that at 1/2 lr, medians over the run: larger without BatchNorm",
    "4.3 against 1.8, 2.4 times (read off figure 11a)",
    "x without BatchNorm",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """S4a, S4b, S4c and S4f; the arm without BatchNorm is the one that is said to be larger."""
    band = ("loss_landscape/max", "loss_landscape/min", *MIDDLE)
    landscape = [
        ratio(median_log_ratio(*band), worst=np.inf, at_least=1.5),
        share_wider(*band, at_least=MOSTLY),
    ]
    return [
        verdict
        for claim, part, criteria in (
            (S4A, MIDDLE, landscape),
            (S4B, MIDDLE, [ratio(median_of("gradient_predictiveness/max", *MIDDLE), worst=np.inf, at_least=1.5)]),
            (S4C, EARLY, [ratio(percentile_of("smoothness/beta", 95, *EARLY), worst=np.inf, at_least=1.3)]),
            (S4F, (0, 1), [ratio(slope, worst=np.inf, at_least=np.nextafter(1, 2))]),
        )
        for verdict in verdicts(claim, runs, criteria, reference="batch", treated="none", unless=at_chance(*part))
    ]


def slope(run: Run) -> float:
    """How much more the gradient changes at 4 learning rates than at half of one."""
    far, near = (median_of(f"gradient_predictiveness/eta_{size}")(run) for size in ("4", "0.5"))
    return far / near


def plot(runs: Sequence[Run]) -> "Figure":
    """The paper's three panels; then the change in units of the gradient, its cosine, and beta near the weights."""
    found = shown(runs, ARMS)
    with new_figure(12.4, 13.4) as figure:
        axes = figure.subplots(3, 2)
        panels.landscape(axes[0, 0], found.arms)
        panels.predictiveness(axes[0, 1], found.arms)
        panels.quantity(axes[1, 0], found.arms, "smoothness/beta", "effective β, ½ to 4 lr", "On the paper's grid β is")
        lr = found.run.config["optimizer"]["lr"]
        panels.quantity(
            axes[1, 1],
            found.arms,
            "gradient_predictiveness/relative/eta_0.01",
            "effective β, 1/100 lr",
            "Close to the weights β is",
            factor=1 / (0.01 * lr),
        )
        panels.quantity(
            axes[2, 0],
            found.arms,
            "gradient_predictiveness/relative/eta_1",
            "‖Δ gradient‖ / ‖gradient‖ at lr",
            "Of its length, a step changes the gradient by",
        )
        panels.quantity(
            axes[2, 1],
            found.arms,
            "gradient_predictiveness/cosine/eta_1",
            "cosine of the two gradients at lr",
            "The cosine with the gradient one step on is",
            linear=True,
        )
        saturated = typical_share(found.arms, "smoothness/saturated")
        text = (
            f"{found.caption()} Bands: from the least to the most over steps of ½ to 4 lr along the gradient; dotted: "
            "the gradient's own length. Values in the titles: medians over the run, then over the seeds. β on the "
            f"paper's grid sits on the grid's own bound 1/(½ lr) = {2 / lr:g} at {saturated}: there the gradient at "
            "the nearest point is already small beside the first, and β tells the grid, not the curvature."
        )
        entitle(figure, "What lies along the gradient", text)
    return figure


def typical_share(arms: "panels.Arms", name: str) -> str:
    """The share of the probed steps that are flagged, for each arm, in words."""
    shares = {
        panels.arm_name(norm): 100 * float(np.mean(np.concatenate([run.series(name)[1] for run in members])))
        for norm, members in arms.items()
    }
    return " and ".join(f"{share:.0f} % of the probes {name}" for name, share in shares.items())
