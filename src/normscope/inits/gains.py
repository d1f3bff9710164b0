"""By how much an activation shrinks a signal, so that the weights can make up for it."""

from copy import deepcopy
from math import pi, sqrt

import torch
from torch import nn


def activation_gain(activation: nn.Module) -> float:
    """The factor on the weights' size that keeps the signal's size from layer to layer.

    Of pre-activations x ~ N(0, 1) the activation f leaves the mean square E f(x)²; weights of variance g²/fan-in make
    it g² E f(x)² in the next layer's, so that
        g = 1 / √(E f(x)²)
    keeps it at 1. He et al. 2015, arXiv:1502.01852, equations 7 to 10, for any f (the length map of Poole et al. 2016,
    arXiv:1606.05340). It is 1 for the identity and for SELU, whose fixed point this is, √2 for ReLU, √(2 / (1 + a²))
    for leaky ReLU and PReLU (equation 15), 1.245 for ELU, 1.534 for GELU, 1.677 for SiLU, 1.593 for tanh, 2.338 for
    softsign and 1.846 for the sigmoid.

    PyTorch's `calculate_gain` agrees for the identity, ReLU and leaky ReLU; its 5/3 for tanh, 3/4 for SELU and 1 for
    the sigmoid keep the size at another value or at none, and it has nothing for the rest. Glorot & Bengio 2010 take 1
    for every activation.

    Args:
        activation: works element by element; another kind says its gain in an attribute `gain`.
    Returns:
        g > 0; by the trapezoidal rule between −12 and 12, exact to 1e-9.
    """
    stated = getattr(activation, "gain", None)
    if stated is not None:
        return float(stated)
    inputs = torch.linspace(-12, 12, 24_001, dtype=torch.float64)[:, None]  # 0 is among them, where many have a kink
    density = torch.exp(-inputs.square() / 2) / sqrt(2 * pi)
    with torch.no_grad():
        outputs = deepcopy(activation).double()(inputs)
    return 1 / sqrt(torch.trapezoid(outputs.square() * density, inputs, dim=0).item())


def chosen_gain(gain: float | str, activation_gain: float) -> float:
    """The number that `init.gain` stands for.

    Raises:
        ValueError: if it is neither auto nor positive; the message holds the value.
    """
    if gain == "auto":
        return activation_gain
    if isinstance(gain, str) or not gain > 0:
        raise ValueError(
            f"init.gain ({gain}) must be auto (what the activation asks for) or positive; at 0 all units of a layer "
            "start, and stay, equal"
        )
    return gain
