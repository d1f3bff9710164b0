"""Glorot & Bengio 2010, figures 6 to 8 and section 4.2.1: signal, gradients and Jacobians at initialisation."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from normscope.claims import Claim, Verdict
from normscope.criteria import difference, of_reference, of_treated, ratio
from normscope.figures.arms import shown
from normscope.figures.depth import histograms_by_layer, over_depth
from normscope.figures.lines import paper_line
from normscope.figures.look import arm_colour, entitle, new_figure
from normscope.quantities import first, quotient
from normscope.runs.reader import Run
from normscope.verdicts import medians, verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("standard", "glorot_uniform")
DEPTH = 5
PAPER = {"standard": 0.5, "glorot_uniform": 0.8}  # mean singular values, section 4.2.1
STANDARD, NORMALISED = (0.40, 0.58), (0.62, 0.90)  # G4

G1 = Claim(
    "G1",
    "5 x 1000 tanh, at initialisation: std of the activations of layer 5 / layer 1 is at most 0.15 with the standard "
    "initialisation and at least 0.4 with the normalised one (shown: normalised / standard)",
    "figure 6: the peak at 0 grows with depth with the standard one, all layers are alike with the normalised one",
    "x standard",
)
G2 = Claim(
    "G2",
    "5 x 1000 tanh, at initialisation: std of the back-propagated gradients of layer 1 / layer 5 is at most 0.15 with "
    "the standard initialisation and at least 0.3 with the normalised one (shown: normalised / standard)",
    "figure 7: the variance shrinks towards the input with the standard one, not with the normalised one",
    "x standard",
)
G3 = Claim(
    "G3",
    "5 x 1000 tanh, at initialisation: the largest std of a hidden layer's weight gradients is at most 1.2 times the "
    "smallest, with the standard initialisation too",
    "figure 8: alike in all layers",
    "x the smallest",
)
G4 = Claim(
    "G4",
    "5 x 1000 tanh, at initialisation: the mean singular value of a layer's Jacobian lies in "
    f"{STANDARD[0]:.2f} to {STANDARD[1]:.2f} with the standard initialisation, in {NORMALISED[0]:.2f} to "
    f"{NORMALISED[1]:.2f} with the normalised one, and is larger with that (the difference is shown)",
    "about 0.5 and 0.8",
    "larger",
)


def kept_upwards(run: Run) -> float:
    """What is left of the signal at the last hidden layer."""
    return quotient(first(f"activation_std/layer{DEPTH}"), first("activation_std/layer1"))(run)


def kept_downwards(run: Run) -> float:
    """What is left of the gradient with respect to the pre-activations at the first hidden layer."""
    gradient = "backpropagated_gradient_std"
    return quotient(first(f"{gradient}/layer1"), first(f"{gradient}/layer{DEPTH}"))(run)


def spread(run: Run) -> float:
    """The largest std of a hidden layer's weight gradients, in units of the smallest."""
    stds = [first(f"weight_gradient_std/layer{layer}")(run) for layer in range(1, DEPTH + 1)]
    return max(stds) / min(stds)


def stretch(run: Run) -> float:
    """The mean singular value of ∂z^{i+1}/∂z^i, averaged over the layers that have one below them."""
    return float(np.mean([first(f"jacobian/layer{layer}/mean")(run) for layer in range(2, DEPTH + 1)]))


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """G1 to G4. What contradicts G1, G2 and G4 is the opposite order of the two; a number off its band does not."""
    how: Any = {"arm": "init", "reference": ARMS[0], "treated": ARMS[1]}
    found = []
    for claim, kept, least in ((G1, kept_upwards, 0.4), (G2, kept_downwards, 0.3)):
        criteria = [
            ratio(kept, worst=0, at_least=least / 0.15),
            of_reference(kept, worst=np.inf, tie=np.inf, at_most=0.15),
            of_treated(kept, worst=0, tie=-np.inf, at_least=least),
        ]
        found += verdicts(claim, runs, criteria, **how, notes=medians("standard", "normalised", kept))
    alike = [of_treated(spread, worst=np.inf, at_most=1.2)]
    found += verdicts(G3, runs, alike, arm="init", reference=ARMS[0], treated=ARMS[0])
    larger = [
        difference(stretch, worst=0, at_least=np.nextafter(0, 1)),
        of_reference(stretch, worst=np.inf, tie=-np.inf, at_least=STANDARD[0]),
        of_reference(stretch, worst=np.inf, tie=np.inf, at_most=STANDARD[1]),
        of_treated(stretch, worst=np.inf, tie=-np.inf, at_least=NORMALISED[0]),
        of_treated(stretch, worst=np.inf, tie=np.inf, at_most=NORMALISED[1]),
    ]
    return [*found, *verdicts(G4, runs, larger, **how, notes=medians("standard", "normalised", stretch))]


def plot(runs: Sequence[Run]) -> "Figure":
    """Layer by layer: sizes of signal and gradients, Jacobians, and the histograms of figures 6 and 7."""
    found = shown(runs, ARMS, arm="init")
    arms = found.arms
    with new_figure(13.4, 18.4) as figure:
        axes = figure.subplots(4, 2)
        over_depth(axes[0, 0], arms, "activation_std/{layer}", "std", "Activations")
        over_depth(
            axes[0, 1], arms, "backpropagated_gradient_std/{layer}", "std, nats", "Back-propagated gradients, ∂L/∂s"
        )
        over_depth(axes[1, 0], arms, "weight_gradient_std/{layer}", "std, nats", "Weight gradients, ∂L/∂W")
        over_depth(axes[1, 1], arms, "jacobian/{layer}/mean", "mean singular value", "Jacobians of the layers", (0, 1))
        for init, value in PAPER.items():
            paper_line(axes[1, 1], value, f"paper: about {value:g}", arm_colour(init))
        histograms_by_layer(axes[2], arms, "activations", "activation (figure 6)")
        histograms_by_layer(axes[3], arms, "backpropagated_gradients", "∂L/∂s, nats (figure 7)")
        for row in axes[2:]:
            row[0].sharex(row[1])
        text = (
            f"{found.caption()} standard: U(−1/√n, 1/√n); Glorot, the paper's normalised one: U(±√6/√(fan-in + "
            "fan-out)). Lines: medians and ranges over the seeds; s: what enters tanh. Histograms: of the first seed, "
            "every layer of one height, the two initialisations on one scale."
        )
        entitle(figure, "Five layers of tanh before training", text)
    return figure
