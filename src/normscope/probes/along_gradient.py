"""The loss and its gradient along the gradient: landscape, predictiveness, effective smoothness."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from normscope.measurement import Measurement
from normscope.record import StepRecord
from normscope.turns import below_floor, turns
from normscope.vectors import norm_l2

BANDS = {
    "loss along the gradient": ("loss_landscape/base", "loss_landscape/min", "loss_landscape/max"),
    **{
        title: (f"{name}/mean", f"{name}/min", f"{name}/max")
        for title, name in (
            ("gradient predictiveness", "gradient_predictiveness"),
            ("gradient predictiveness, relative to the gradient", "gradient_predictiveness/relative"),
            ("cosine of the gradients", "gradient_predictiveness/cosine"),
        )
    },
}


def along_gradient(record: StepRecord, *, step_sizes: Sequence[float], band_from: float) -> Measurement:
    """How the loss and its gradient change while we walk along the gradient.

    Santurkar et al. 2018, arXiv:1805.11604, section 3.2 and figure 4. With θ the weights before the update,
    g = ∇L(θ) on the step's batch, and η = step size x learning rate:
        (a) loss landscape            L(θ − η g), and its extremes over η
        (b) gradient predictiveness   ‖∇L(θ − η g) − g‖₂ over all parameters, and its extremes
        (c) effective β-smoothness    max over η of ‖∇L(θ − η g) − g‖₂ / (η ‖g‖₂)
    g is the raw gradient of the objective, not the optimizer's update. BatchNorm also changes the length of g, so (b)
    is there a second time in units of ‖g‖₂, and as the cosine of the two gradients. K step sizes cost K forward and
    backward passes; g is the step's own.

    β is flagged saturated where it says how small the smallest η was, and not how curved the loss is: when
    ‖∇L(θ − η_min g)‖ < 0.1 ‖g‖, or β lies within 2 % of 1/η_min. Where the rounding error of a gradient has been
    measured (by the probe `rounding`), differences of less than ten times that are flagged as below the floor.

    Args:
        record: one training step.
        step_sizes: in units of the learning rate, > 0.
        band_from: extremes and β are taken over the step sizes from this one on; the paper's grid is 1/2, 1, 2, 4.
    Returns:
        scalars `loss_landscape/{base,min,max,eta_X}` (nats), `gradient_predictiveness/{min,mean,max,eta_X}` (nats
        per unit of weight), `gradient_predictiveness/{relative,cosine}/{min,mean,max,eta_X}`,
        `gradient_predictiveness/below_floor/eta_X`, `gradient_norm`, `smoothness/{beta,saturated}`; X is the step size.
    Raises:
        ValueError: if a step size is not positive, or none reaches `band_from`.
    """
    check_step_sizes(step_sizes, band_from)
    base_loss, gradient = record.base
    length = norm_l2(gradient)
    found = dict(zip(step_sizes, turns(record, gradient, [size * record.lr for size in step_sizes]), strict=True))

    band = {size: turn for size, turn in found.items() if size >= band_from}
    losses = torch.stack([turn.loss for turn in band.values()])
    first = min(band)
    beta = torch.stack([turn.relative / (size * record.lr) for size, turn in band.items()]).max()
    saturated = (band[first].length < 0.1 * length) | ((beta * first * record.lr - 1).abs() < 0.02)
    scalars: dict[str, Tensor | float] = {
        "loss_landscape/base": base_loss,
        "loss_landscape/min": losses.min(),
        "loss_landscape/max": losses.max(),
        "gradient_norm": length,
        "smoothness/beta": beta,
        "smoothness/saturated": saturated,
        **extremes("gradient_predictiveness", (turn.difference for turn in band.values())),
        **extremes("gradient_predictiveness/relative", (turn.relative for turn in band.values())),
        **extremes("gradient_predictiveness/cosine", (turn.cosine for turn in band.values())),
    }
    by_eta = {f"eta_{size:g}": turn for size, turn in found.items()}
    for eta, turn in by_eta.items():
        scalars[f"loss_landscape/{eta}"] = turn.loss
        scalars[f"gradient_predictiveness/{eta}"] = turn.difference
        scalars[f"gradient_predictiveness/relative/{eta}"] = turn.relative
        scalars[f"gradient_predictiveness/cosine/{eta}"] = turn.cosine
    return Measurement(scalars | below_floor(record, by_eta, "gradient_predictiveness"))


def extremes(name: str, values: Iterable[Tensor]) -> dict[str, Tensor]:
    """The smallest, the mean and the largest of some scalars, as series."""
    band = torch.stack(list(values))
    return {f"{name}/min": band.min(), f"{name}/mean": band.mean(), f"{name}/max": band.max()}


def check_step_sizes(step_sizes: Sequence[float], band_from: float) -> None:
    """Raise ValueError unless all step sizes are positive and one is at least `band_from`."""
    for size in step_sizes:
        if not size > 0:
            raise ValueError(f"probe.along_gradient.step_sizes: {size} must be > 0 (in units of the learning rate)")
    if not any(size >= band_from for size in step_sizes):
        raise ValueError(
            f"probe.along_gradient: no step size in {list(step_sizes)} reaches band_from ({band_from}); add one"
        )
