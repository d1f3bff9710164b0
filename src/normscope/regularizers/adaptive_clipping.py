"""Gradients cut to a share of the weights that they change."""

import torch
from torch import Tensor

from normscope.regularizers.rules import Weights

EPSILON = 1e-3  # stands for the length of a unit's weights where they are shorter, so that zeros can grow


def clip_adaptively(weights: Weights, *, clipping: float) -> None:
    """Shorten the gradient of each unit to a share λ of the length of the unit's weights, where it is longer.

        g_i <- g_i min(1, λ max(‖w_i‖, ε) / ‖g_i‖),   ε = 10⁻³

    Brock et al. 2021, arXiv:2102.06171, equation 3. w_i are the weights that come into unit i, a row of the matrix or a
    filter; a bias or a norm's parameter counts as one unit. The classifier, `head`, is left alone, as there (section
    4.1).

    Args:
        weights: name -> parameter (out, in, ...) with its gradient, which is changed in place.
        clipping: λ, positive; without momentum no unit changes by more than lr λ of its length (or of ε) in a step.
    Raises:
        ValueError: if clipping is not positive.
    """
    if not clipping > 0:
        raise ValueError(
            f"regularizer.adaptive_clipping: clipping ({clipping}) must be positive, or the network learns nothing"
        )
    with torch.no_grad():
        for name, weight in weights.items():
            if weight.grad is not None and not name.startswith("head."):
                bound = clipping * unit_lengths(weight).clamp(min=EPSILON)
                weight.grad.mul_((bound / unit_lengths(weight.grad).clamp(min=1e-12)).clamp(max=1))


def unit_lengths(weight: Tensor) -> Tensor:
    """The length of the weights that come into each unit, in a shape that multiplies them; that of a vector is one."""
    return torch.linalg.vector_norm(weight, dim=tuple(range(1, weight.dim())) or None, keepdim=True)
