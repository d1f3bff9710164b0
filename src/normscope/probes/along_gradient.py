"""The loss and its gradient along the gradient: landscape, predictiveness, effective smoothness."""

from collections.abc import Sequence

import torch
from torch import Tensor

from normscope.measurement import Measurement
from normscope.record import StepRecord
from normscope.vectors import distance_l2, moved, norm_l2

BANDS = {
    "loss along the gradient": ("loss_landscape/base", "loss_landscape/min", "loss_landscape/max"),
    "gradient predictiveness": (
        "gradient_predictiveness/mean",
        "gradient_predictiveness/min",
        "gradient_predictiveness/max",
    ),
}


def along_gradient(record: StepRecord, *, step_sizes: Sequence[float], band_from: float) -> Measurement:
    """How the loss and its gradient change while we walk along the gradient.

    Santurkar et al. 2018, arXiv:1805.11604, section 3.2 and figure 4. With θ the weights before the update,
    g = ∇L(θ) on the step's batch, and η = step size x learning rate:
        (a) loss landscape            L(θ − η g), and its extremes over η
        (b) gradient predictiveness   ‖∇L(θ − η g) − g‖₂ over all parameters, and its extremes
        (c) effective β-smoothness    max over η of ‖∇L(θ − η g) − g‖₂ / (η ‖g‖₂)
    g is the raw gradient of the objective, not the optimizer's update. K step sizes cost K forward and backward
    passes, and one for g.

    β is flagged saturated where it says how small the smallest η was, and not how curved the loss is: when
    ‖∇L(θ − η_min g)‖ < 0.1 ‖g‖, or β lies within 2 % of 1/η_min.

    Args:
        record: one training step.
        step_sizes: in units of the learning rate, > 0.
        band_from: extremes and β are taken over the step sizes from this one on; the paper's grid is 1/2, 1, 2, 4.
    Returns:
        scalars `loss_landscape/{base,min,max,eta_X}` (nats), `gradient_predictiveness/{min,mean,max,eta_X}` (nats
        per unit of weight), `gradient_norm`, `smoothness/{beta,saturated}`; X is the step size.
    Raises:
        ValueError: if a step size is not positive, or none reaches `band_from`.
    """
    check_step_sizes(step_sizes, band_from)
    base_loss, gradient = record.base
    length = norm_l2(gradient)

    losses: dict[float, Tensor] = {}
    turns: dict[float, Tensor] = {}
    ends: dict[float, Tensor] = {}  # ‖∇L(θ − η g)‖
    for size in step_sizes:
        losses[size], there = record.gradient_at(moved(record.weights, gradient, -size * record.lr))
        turns[size] = distance_l2(there, gradient)
        ends[size] = norm_l2(there)

    band = [size for size in step_sizes if size >= band_from]
    first = min(band)
    band_losses = torch.stack([losses[size] for size in band])
    band_turns = torch.stack([turns[size] for size in band])
    beta = torch.stack([turns[size] / (size * record.lr * length) for size in band]).max()
    saturated = (ends[first] < 0.1 * length) | ((beta * first * record.lr - 1).abs() < 0.02)
    scalars: dict[str, Tensor | float] = {
        "loss_landscape/base": base_loss,
        "loss_landscape/min": band_losses.min(),
        "loss_landscape/max": band_losses.max(),
        "gradient_predictiveness/min": band_turns.min(),
        "gradient_predictiveness/mean": band_turns.mean(),
        "gradient_predictiveness/max": band_turns.max(),
        "gradient_norm": length,
        "smoothness/beta": beta,
        "smoothness/saturated": saturated,
    }
    for size in step_sizes:
        scalars[f"loss_landscape/eta_{size:g}"] = losses[size]
        scalars[f"gradient_predictiveness/eta_{size:g}"] = turns[size]
    return Measurement(scalars)


def check_step_sizes(step_sizes: Sequence[float], band_from: float) -> None:
    """Raise ValueError unless all step sizes are positive and one is at least `band_from`."""
    for size in step_sizes:
        if not size > 0:
            raise ValueError(f"probe.along_gradient.step_sizes: {size} must be > 0 (in units of the learning rate)")
    if not any(size >= band_from for size in step_sizes):
        raise ValueError(
            f"probe.along_gradient: no step size in {list(step_sizes)} reaches band_from ({band_from}); add one"
        )
