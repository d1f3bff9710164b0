"""How the loss and its gradient change on the way from a step's weights to others, and what of that is rounding."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from normscope.record import StepRecord
from normscope.vectors import Vector, moved, norm_l2

FLOOR = "rounding/floor"  # the relative rounding error of a gradient, where it was measured, in `StepRecord.earlier`
MARGIN = 10.0


@dataclass(frozen=True)
class Turn:
    """The loss and its gradient at θ', beside g = ∇L(θ); scalars on the device, norms over all parameters.

    Attributes:
        loss: L(θ').
        length: ‖∇L(θ')‖₂.
        difference: ‖∇L(θ') − g‖₂.
        relative: ‖∇L(θ') − g‖₂ / ‖g‖₂.
        cosine: of ∇L(θ') and g; nan where one of them is 0.
    """

    loss: Tensor
    length: Tensor
    difference: Tensor
    relative: Tensor
    cosine: Tensor


def turns(record: StepRecord, direction: Vector, step_sizes: Sequence[float]) -> list[Turn]:
    """L and ∇L at θ − s · direction for each step size s, compared with those at θ.

    A step size costs one forward and one backward pass, and no two of the gradients are held at once.
    """
    gradient = record.base[1]
    length = norm_l2(gradient)
    return [
        compared(record.gradient_at(moved(record.weights, direction, -size)), gradient, length) for size in step_sizes
    ]


def compared(found: tuple[Tensor, Vector], gradient: Vector, length: Tensor) -> Turn:
    """What was found elsewhere beside g and its length ‖g‖₂, in one sweep over the tensors."""
    loss, there = found
    lengths, differences = [], []
    for name, tensor in gradient.items():
        lengths.append(torch.linalg.vector_norm(there[name], dtype=torch.float64))
        differences.append(torch.linalg.vector_norm(there[name] - tensor, dtype=torch.float64))
    end = torch.linalg.vector_norm(torch.stack(lengths))
    difference = torch.linalg.vector_norm(torch.stack(differences))
    product = (length.square() + end.square() - difference.square()) / 2  # ⟨∇L(θ'), g⟩: spares a sweep of its own
    cosine = (product / (length * end)).clamp(-1, 1)
    return Turn(loss, end, difference, difference / length, cosine)


def below_floor(record: StepRecord, found: Mapping[str, Turn], prefix: str) -> dict[str, Tensor]:
    """Flags of the differences that rounding may have made: ‖Δg‖ < 10 x the rounding error of a gradient.

    By the triangle inequality rounding moves a difference above that bound by a tenth at most; by half a percent where
    it is orthogonal to the difference, as rounding in many dimensions nearly is.

    Args:
        found: label -> what was found there.
    Returns:
        `<prefix>/below_floor/<label>`, 1 or 0; empty before the floor was measured (by the probe `rounding`).
    """
    if FLOOR not in record.earlier:
        return {}
    bound = MARGIN * record.earlier[FLOOR]
    return {f"{prefix}/below_floor/{label}": turn.relative < bound for label, turn in found.items()}
