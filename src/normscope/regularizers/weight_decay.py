"""Decoupled weight decay."""

import torch
from torch import Tensor

from normscope.regularizers.rules import Weights, penalised


def weight_decay(weights: Weights, lr: float | Tensor, *, strength: float, biases_and_norms: bool) -> None:
    """Shrink the weights before the optimizer moves them: w <- (1 − lr λ) w.

    Loshchilov & Hutter 2019, arXiv:1711.05101, as in PyTorch's AdamW. For SGD without momentum it is the same as
    adding (λ/2) ‖w‖² to the loss; with momentum it is not, because the velocity does not see it.

    Args:
        weights: name -> parameter, changed in place, but for the slopes of PReLU.
        lr: learning rate of this step.
        strength: λ, at least 0, per unit of learning rate.
        biases_and_norms: whether 1-D parameters (biases, BatchNorm's γ and β) shrink too.
    Raises:
        ValueError: if strength is negative.
    """
    if strength < 0:
        raise ValueError(f"regularizer.weight_decay: strength ({strength}) must be at least 0")
    decayed = [w for w in penalised(weights) if biases_and_norms or w.dim() > 1]
    with torch.no_grad():
        torch._foreach_mul_(decayed, 1 - lr * strength)
