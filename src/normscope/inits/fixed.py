"""Weights whose size does not depend on the layer's."""

import torch
from torch import nn

from normscope.inits.layer import Layer, zero


def constant(layer: Layer, generator: torch.Generator, activation_gain: float, *, value: float) -> None:
    """Every weight at the same value, bias 0: what one must not do.

    All units of a layer compute the same and get the same gradient, so that they stay equal for ever: a layer of any
    width learns what one unit could (Goodfellow et al. 2016, "Deep Learning", section 8.4, on breaking symmetry). At 0
    a network of ReLU layers gets no gradient but that of the last bias.

    Args:
        layer: weight (out, in, ...); the bias may be None.
        generator, activation_gain: not looked at.
        value: any number.
    """
    nn.init.constant_(layer.weight, value)
    zero(layer.bias)


def gaussian(layer: Layer, generator: torch.Generator, activation_gain: float, *, std: float) -> None:
    """Weight from N(0, std²), whatever the size of the layer, bias 0. As before 2010; AlexNet took 0.01.

    Raises:
        ValueError: if std is not positive; the message holds the value.
    """
    if not std > 0:
        raise ValueError(
            f"init.std ({std}) must be positive, or all units of a layer start, and stay, equal; init=zeros shows that"
        )
    nn.init.normal_(layer.weight, 0.0, std, generator)
    zero(layer.bias)
