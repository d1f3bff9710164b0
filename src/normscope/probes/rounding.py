"""How much of a gradient is rounding."""

from dataclasses import replace

import torch
from torch import Tensor

from normscope.measurement import Measurement
from normscope.record import StepRecord
from normscope.turns import FLOOR, compared
from normscope.vectors import norm_l2


def rounding(record: StepRecord) -> Measurement:
    """The rounding error of the gradient: what changes when the same point is evaluated under another rounding.

    After the random rounding of Vignes 1993, "A stochastic arithmetic for reliable scientific computation", here of
    what goes into the network: every weight and every pixel w becomes w (1 ± ε/2), which rounds to the number above or
    below it (a power of two may also stay; 0 does). From there on all products and sums round differently. At that θ̃
    and with the loss L̃ of that batch:
        floor = ‖∇L̃(θ̃) − ∇L(θ)‖₂,  and |L̃(θ̃) − L(θ)| for the loss
    One forward and one backward pass. It is a size, from one draw: a unit that stands within rounding of its threshold
    (ReLU, max-pooling) and falls on the other side makes the gradient jump, by far more than all other rounding, and
    does so at some draws only. Therefore the floor that others compare with is forgotten by half from one occasion to
    the next, and not at once.

    Args:
        record: one training step.
    Returns:
        scalars `rounding/gradient` (nats per unit of weight), `rounding/relative` (the same / ‖∇L(θ)‖₂),
        `rounding/loss` (nats) and `rounding/floor`, the largest of `relative` and half the floor of the occasion
        before; kept for the probes that flag differences of gradients.
    """
    loss, gradient = record.base
    generator = record.generator("rounding")
    weights = {name: nudged(weight, generator) for name, weight in record.weights.items()}
    there = replace(record, images=nudged(record.images, generator))
    found = compared(there.gradient_at(weights), gradient, norm_l2(gradient))

    floor = found.relative
    if FLOOR in record.earlier:
        floor = torch.fmax(floor, record.earlier[FLOOR] / 2)  # fmax: a floor that is nan is forgotten
    scalars: dict[str, Tensor | float] = {
        "rounding/gradient": found.difference,
        "rounding/relative": found.relative,
        "rounding/loss": (found.loss - loss).abs(),
        "rounding/floor": floor,
    }
    return Measurement(scalars, kept={FLOOR: floor})


def nudged(values: Tensor, generator: torch.Generator) -> Tensor:
    """Every number moved to one of its two neighbours in floating point, up or down at random."""
    layout = torch.empty_like(values, dtype=torch.uint8)
    words = torch.empty(values.numel() // 8 + 1, dtype=torch.int64, device=values.device)
    drawn = words.random_(generator=generator).view(torch.uint8)  # eight at a time: a tenth of the time on a CPU
    is_up = drawn.as_strided(layout.shape, layout.stride()) & 1  # of each byte the last bit
    half_units = is_up.to(values.dtype).sub_(0.5).mul_(torch.finfo(values.dtype).eps)
    return torch.addcmul(values, values, half_units)
