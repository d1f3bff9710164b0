"""L2 regularisation: the squared length of the weights, added to the loss."""

import torch
from torch import Tensor

from normscope.regularizers.rules import Weights, penalised


def l2(logits: Tensor, targets: Tensor, weights: Weights, *, strength: float) -> Tensor:
    """(λ/2) Σ ‖w‖² over all parameters, biases and norms included, but not the slopes of PReLU.

    Its gradient is λ w, so that it is exactly what PyTorch's SGD calls weight decay, with momentum too: the velocity
    sees it. Compared with `weight_decay`, which acts beside the velocity, a momentum ρ makes it 1/(1 − ρ) times as
    strong.

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
        raise ValueError(f"regularizer.l2: strength ({strength}) must be at least 0")
    squares = [weight.square().sum() for weight in penalised(weights)]  # a norm has no second derivative at 0
    return 0.5 * strength * torch.stack(squares).sum()
