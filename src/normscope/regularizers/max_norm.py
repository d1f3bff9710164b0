"""A bound on the length of each unit's weights."""

import torch

from normscope.regularizers.rules import Weights


def max_norm(weights: Weights, *, bound: float) -> None:
    """Shorten the weights that come into a unit to length r where they are longer.

        w_i <- w_i min(1, r / ‖w_i‖₂)

    Srivastava et al. 2014, JMLR 15, section 5.1. w_i is a row of a fully connected layer or a filter of a convolution;
    biases and norms are left alone.

    Args:
        weights: name -> parameter (out, in, ...), changed in place.
        bound: r, positive.
    Raises:
        ValueError: if bound is not positive.
    """
    if not bound > 0:
        raise ValueError(f"regularizer.max_norm: bound ({bound}) must be positive")
    with torch.no_grad():
        for weight in weights.values():
            if weight.dim() > 1:
                weight.renorm_(2, 0, bound)
