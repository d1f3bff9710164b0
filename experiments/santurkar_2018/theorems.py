"""Santurkar et al. 2018, section 4: theorems 4.1, 4.2 and 4.4 and lemma 4.5, measured on a VGG11 while it trains."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.claims import Claim, Verdict
from normscope.criteria import of_reference
from normscope.figures.arms import shown
from normscope.figures.lines import label_ends
from normscope.figures.look import entitle, new_figure
from normscope.quantities import Quantity, median_of
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

T1 = Claim(
    "T1",
    "theorem 4.1 is an equality: the largest relative gap over all layers and probed steps is at most 1e-8, and so is "
    "that of fact C.1",
    "an inequality, proved; an equality where dL/dz is the gradient at BatchNorm's own output",
    "relative gap",
)
T2 = Claim(
    "T2",
    "theorem 4.2, first form: the largest relative gap over the units looked at is at most 1e-4",
    "an equality, proved for eps = 0",
    "relative gap",
)
T3 = Claim(
    "T3",
    "scale invariance: weights of twice the length leave the loss as it is and halve the gradient, which is orthogonal "
    "to the weights; each within 1e-10, relative",
    "proved",
    "relative gap",
)
T4 = Claim(
    "T4",
    "theorem 4.4, as equation (17) of its proof: of all inputs of a layer with |X| <= lambda the worst has |dL/dW|^2 = "
    "(lambda gamma/sigma)^2 |gz|^2, as with a mere scaling, less a share that BatchNorm takes out; it is negative in "
    "no layer and at no probed step (15th percentile over the units; shown: its median over units and steps)",
    "proved, no number",
    "share taken out",
)
LAYERS = "theorems/{layer}/"
ROUNDING = 1e-10  # of a share, in float64


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """T1 to T4; of T4's share the figure shows the distribution over the layers."""
    limits = (
        (T1, 1e-8, (LAYERS + "gap_4_1", LAYERS + "error_c1")),
        (T2, 1e-4, (LAYERS + "gap_4_2",)),
        (T3, 1e-10, (LAYERS + "gradient_at_scaled", LAYERS + "weight_gradient_cosine", "theorems/loss_at_scaled")),
    )
    found = [
        verdict
        for claim, limit, names in limits
        for verdict in verdicts(
            claim,
            runs,
            [of_reference(extreme(np.max, name), worst=np.inf, at_most=limit) for name in names],
            reference="batch",
            treated="batch",
        )
    ]
    never_negative = [
        of_reference(quantity, worst=-np.inf, at_least=-ROUNDING)
        for quantity in (median_of("theorems/reduction"), extreme(np.min, LAYERS + "reduction_p15"))
    ]
    return [*found, *verdicts(T4, runs, never_negative, reference="batch", treated="batch")]


def extreme(of: Callable[[np.ndarray], np.ndarray], name: str) -> Quantity:
    """The largest (np.max) or smallest (np.min) value of a series over the run, and over the layers if each has one."""

    def quantity(run: Run) -> float:
        layers = run.layers(name) if "{layer}" in name else [""]
        values = [run.series(name.format(layer=layer))[1] for layer in layers]
        found = np.concatenate(values) if values else np.empty(0)
        return float(of(found)) if len(found) else np.nan

    return quantity


def plot(runs: Sequence[Run]) -> "Figure":
    """T4: the share of the squared gradient that BatchNorm takes out, by layer; and how exactly the theorems hold."""
    found = shown(runs, ["batch"])
    with new_figure(13.4, 6.2) as figure:
        left, right = figure.subplots(1, 2)
        for title, axis, rows in (
            (
                "What BatchNorm takes out of the squared gradient",
                left,
                (("reduction", "all"), ("reduction_along_ones", "along 1"), ("reduction_along_normalised", "along ŷ")),
            ),
            (
                "Theorems: relative gaps",
                right,
                (("gap_4_1", "4.1"), ("gap_4_2", "4.2, first form"), ("gradient_at_scaled", "gradient at 2 W")),
            ),
        ):
            by_layer(axis, found.run, rows)
            axis.set_title(title)
        left.set_ylabel("share, median over units")
        right.set_ylabel("largest relative gap")
        entitle(
            figure,
            "The theorems on a network that trains",
            f"{found.caption()} Medians over the probed steps of seed {found.run.seed}; bars: from least to most. "
            "Left: the part along the ones, the part along the normalised activation ŷ, and both. Right: how far the "
            "two sides of each theorem are apart; gradient at 2 W: twice the weights have half the gradient.",
        )
    return figure


def by_layer(axis: "Axes", run: Run, rows: Sequence[tuple[str, str]]) -> None:
    """Quantities of each layer, with their range over the run."""
    ends = []
    for place, (name, label) in enumerate(rows):
        layers = run.layers(LAYERS + name)
        values = [run.series(f"theorems/{layer}/{name}")[1] for layer in layers]
        depths = np.array([int(layer.removeprefix("layer")) for layer in layers]) + 0.12 * (place - 1)
        middle = np.array([np.median(each) for each in values])
        low, high = (np.array([edge(each) for each in values]) for edge in (np.min, np.max))
        colour = ("#0072B2", "#E69F00", "#009E73")[place]
        axis.errorbar(depths, middle, [middle - low, high - middle], color=colour, marker="o", capsize=2, linewidth=1.4)
        ends.append((float(middle[-1]), label, colour))
    axis.set_yscale("log")
    axis.set_xlabel("layer")
    label_ends(axis, ends)
