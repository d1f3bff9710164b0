"""L1 regularisation: the sum of the weights' sizes, added to the loss."""

import torch
from torch import Tensor

from normscope.regularizers.rules import Weights, penalised


def l1(logits: Tensor, targets: Tensor, weights: Weights, *, strength: float) -> Tensor:
    """λ Σ |w| over all parameters, biases and norms included, but not the slopes of PReLU.

    Tibshirani 1996 (the lasso). At its minimum some weights are exactly 0. Its gradient is λ sign(w), with sign(0) = 0,
    which pushes a weight by the same amount however small it is, so that a step of SGD goes past 0 and the next one
    back: useless weights end within lr λ of 0, seldom at it.

    Args:
        logits, targets: not looked at.
        weights: name -> parameter.
        strength: λ, at least 0.
    Returns:
        A scalar in the unit of the loss.
    Raises:
        ValueError: if strength is negative.
    """
    if strength < 0:
        raise ValueError(f"regularizer.l1: strength ({strength}) must be at least 0")
    return strength * torch.stack([weight.abs().sum() for weight in penalised(weights)]).sum()
