"""Gradients cut to a size: against steps that lead out of the landscape."""

import torch

from normscope.regularizers.rules import Weights, gradients


def clip_by_value(weights: Weights, *, bound: float) -> None:
    """Cut each element of the gradient to [−c, c]; this may turn it: (0.9, 100) becomes (0.9, 1) with c = 1.

    Args:
        weights: name -> parameter with its gradient, which is changed in place.
        bound: c, positive, in the unit of a gradient.
    Raises:
        ValueError: if bound is not positive.
    """
    _check("clip_by_value", bound)
    torch._foreach_clamp_max_(gradients(weights), bound)
    torch._foreach_clamp_min_(gradients(weights), -bound)


def clip_by_norm(weights: Weights, *, bound: float) -> None:
    """Shorten the gradient over all weights together to length c where it is longer; its direction stays.

        g <- g min(1, c / ‖g‖₂)

    Pascanu et al. 2013, arXiv:1211.5063, algorithm 1.

    Args:
        weights: name -> parameter with its gradient, which is changed in place.
        bound: c, positive, in the unit of a gradient.
    Raises:
        ValueError: if bound is not positive.
    """
    _check("clip_by_norm", bound)
    torch.nn.utils.clip_grad_norm_(list(weights.values()), bound)


def _check(name: str, bound: float) -> None:
    if not bound > 0:
        raise ValueError(f"regularizer.{name}: bound ({bound}) must be positive, or the network learns nothing")
