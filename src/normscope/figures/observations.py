"""What there is to see of each probe: the quantities of its picture."""

from dataclasses import dataclass

from normscope.figures.grids import Panel


@dataclass(frozen=True)
class Observation:
    """What one probe found, as a picture.

    Attributes:
        name: of the picture's file.
        shows: its title.
        layout: whole (a panel for each quantity of the whole network), layers (a row for each quantity, three layers
            beside each other), depth (a row for each quantity, all layers in one panel), ridges or spectra.
        panels: the quantities; the first one's series tells whether there is anything to see.
    """

    name: str
    shows: str
    layout: str
    panels: tuple[Panel, ...]

    @property
    def needs(self) -> str:
        """A series or histogram without which there is nothing to see."""
        return (self.panels[0].edges or (self.panels[0].series,))[0]


def _band(title: str, name: str, *, linear: bool = False) -> Panel:
    return Panel(title, edges=(f"{name}/min", f"{name}/max"), linear=linear)


OBSERVATIONS = (
    Observation(
        "along_gradient",
        "The loss and its gradient along the gradient",
        "whole",
        (
            _band("loss, nats", "loss_landscape"),
            _band("change of the gradient, L2 norm", "gradient_predictiveness"),
            _band("its change / length of the gradient", "gradient_predictiveness/relative"),
            _band("cosine with the gradient", "gradient_predictiveness/cosine", linear=True),
            Panel("effective β-smoothness", "smoothness/beta"),
            Panel("length of the gradient", "gradient_norm"),
        ),
    ),
    Observation(
        "equal_distance",
        "The loss and its gradient at equal distances: 1 % and 10 % of the weights' norm",
        "whole",
        tuple(
            Panel(f"{title}, at {percent} %", f"equal_distance/{quantity}/r_{radius}")
            for quantity, title in (("loss", "loss, nats"), ("relative", "relative change of the gradient"))
            for radius, percent in (("0.01", 1), ("0.1", 10))
        ),
    ),
    Observation(
        "rounding",
        "How much of the gradient and of the loss is rounding",
        "whole",
        (
            Panel("error of the gradient / its length", "rounding/relative"),
            Panel("error of the loss, nats", "rounding/loss"),
        ),
    ),
    Observation(
        "covariate_shift",
        "Internal covariate shift: the gradient before and after the layers below move",
        "layers",
        (
            Panel("‖G − G′‖", "covariate_shift/{layer}/l2"),
            Panel("cosine of G and G′", "covariate_shift/{layer}/cosine", linear=True),
        ),
    ),
    Observation(
        "moments",
        "Moments of what enters the activations: change in one step, and since the start",
        "layers",
        (
            Panel("|Δmean|, one step", "moments/{layer}/mean_drift"),
            Panel("|Δvariance|, one step", "moments/{layer}/variance_drift"),
            Panel("|Δmean| since step 0", "moments/{layer}/mean_from_start"),
            Panel("|Δvariance| since step 0", "moments/{layer}/variance_from_start"),
        ),
    ),
    Observation(
        "percentiles",
        "What enters one unit: its 15th to 85th percentile over the batch",
        "layers",
        (
            Panel("one unit, 15th to 85th", edges=("percentiles/{layer}/p15", "percentiles/{layer}/p85")),
            Panel("range of the median so far", "percentiles/{layer}/p50_range"),
        ),
    ),
    Observation(
        "units",
        "Share of activations at a bound of their range, and of units that are always at 0",
        "layers",
        (Panel("saturated values", "units/{layer}/saturated"), Panel("dead units", "units/{layer}/dead")),
    ),
    Observation(
        "activation_distance",
        "How far the distribution of a layer's inputs to its activation moves, in standard deviations",
        "layers",
        (
            Panel("W₁ to the last occasion", "activation_distance/{layer}/relative"),
            Panel("W₁ to step 0", "activation_distance/{layer}/relative_from_start"),
        ),
    ),
    Observation(
        "propagation",
        "How signals go forward and gradients back through the layers",
        "depth",
        (
            Panel("activations, standard deviation", "activation_std/{layer}"),
            Panel("gradients there, standard deviation", "backpropagated_gradient_std/{layer}"),
        ),
    ),
    Observation(
        "weight_gradients",
        "Gradients of the weights",
        "depth",
        (Panel("L2 norm of a layer's gradient", "gradient_norm/{layer}"),),
    ),
    Observation(
        "weights",
        "Weights and their updates",
        "depth",
        (
            Panel("update / weight, L2 norms", "update_ratio/{layer}", reference=(1e-3, "rule of thumb: 0.001")),
            Panel("L2 norm of a layer's weight", "weight_norm/{layer}"),
        ),
    ),
    Observation(
        "curvature",
        "Curvature of the training loss",
        "whole",
        (
            Panel("largest eigenvalue × lr", "curvature/lambda_lr", reference=(2, "edge of stability")),
            Panel("largest eigenvalue of the Hessian", "curvature/eigenvalue_1"),
            Panel("smallest eigenvalue", "curvature/eigenvalue_min"),
            Panel("largest / last eigenvalue", "curvature/eigenvalue_ratio"),
        ),
    ),
    Observation(
        "batch_sharpness",
        "Curvature in the direction of the gradient",
        "whole",
        (
            Panel("gᵀHg / ‖g‖² × lr", "curvature/batch_sharpness_lr", reference=(2, "2")),
            Panel("gᵀHg / ‖g‖²", "curvature/batch_sharpness"),
        ),
    ),
    Observation(
        "hessian_trace",
        "Trace of the Hessian",
        "whole",
        (Panel("trace", "curvature/trace"), Panel("its standard error", "curvature/trace_error")),
    ),
    Observation(
        "spectrum", "Density of the Hessian's eigenvalues, first and last time", "spectra", (Panel("", "spectrum"),)
    ),
    Observation(
        "reduction",
        "Theorem 4.1: the share of a gradient's square that BatchNorm's projection takes away",
        "depth",
        (Panel("share, median over the units", "theorems/{layer}/reduction"),),
    ),
    Observation(
        "scale_invariance",
        "Scale invariance of the weights before a BatchNorm",
        "depth",
        (
            Panel("cosine of weight and gradient", "theorems/{layer}/weight_gradient_cosine"),
            Panel("relative error of ∇L(aW) = ∇L(W)/a", "theorems/{layer}/gradient_at_scaled"),
        ),
    ),
    Observation(
        "theorem_4_2",
        "Theorem 4.2, first form: relative gap between its two sides",
        "depth",
        (
            Panel("with the terms in ε", "theorems/{layer}/gap_4_2"),
            Panel("as published, for ε = 0", "theorems/{layer}/gap_4_2_without_eps"),
        ),
    ),
    Observation(
        "evaluation_mode",
        "The batch as the network in evaluation mode sees it",
        "whole",
        (Panel("share of right answers", "evaluation_mode/accuracy"),),
    ),
    Observation("slopes", "The slopes that PReLU learns", "depth", (Panel("mean over a layer", "slope/{layer}"),)),
    Observation("norm_scales", "The scales of the norms", "depth", (Panel("mean of |γ|", "norm_scale/{layer}"),)),
    Observation(
        "jacobian", "Singular values of a layer's Jacobian", "depth", (Panel("mean", "jacobian/{layer}/mean"),)
    ),
    *(
        Observation(f"histograms_{name}", title, "ridges", (Panel(unit, f"{name}/{{layer}}"),))
        for name, title, unit in (
            ("activations", "Activations over time", "activation"),
            ("backpropagated_gradients", "Gradients at the layers over time", "gradient"),
            ("weights", "Weights over time", "weight"),
            ("gradients", "Gradients of the weights over time", "gradient"),
        )
    ),
)
