"""Initial weights."""

from collections.abc import Callable
from hashlib import sha256
from math import sqrt
from typing import Literal

import torch
from torch import Tensor, nn

Layer = nn.Conv2d | nn.Linear
Init = Callable[[Layer, torch.Generator], None]


def initialise(network: nn.Module, init: Init, seed: int) -> None:
    """Draw the weights and biases of every convolution and fully connected layer anew.

    Each layer draws from a generator of its own, seeded by SHA-256 of "seed/name": layers that two networks share by
    name start equal, bit for bit, whatever else the networks have. Norms stay at γ = 1, β = 0.

    Args:
        network: on the CPU, as it was built (before channels_last, which would change the order of drawing).
        init: (layer, generator) -> None, fills layer.weight and then layer.bias in place.
        seed: of the run.
    Raises:
        ValueError: if a weight is not on the CPU; the message holds its name and device.
    """
    for name, layer in network.named_modules():
        if not isinstance(layer, Layer):
            continue
        if layer.weight.device.type != "cpu":
            raise ValueError(
                f"initialise: {name}.weight is on {layer.weight.device}; initialise on the CPU, then move the network, "
                "so that the weights are the same on every device"
            )
        digest = sha256(f"{seed}/{name}".encode()).digest()
        init(layer, torch.Generator().manual_seed(int.from_bytes(digest[:8], "big")))


def default(layer: Layer, generator: torch.Generator) -> None:
    """PyTorch's own: weight and bias from U(−1/√n, 1/√n), n being the fan-in.

    `torch.nn.Linear.reset_parameters`: Kaiming uniform with a = √5, so that the weight's variance is 1/(3n), a sixth
    of He's.
    """
    nn.init.kaiming_uniform_(layer.weight, a=sqrt(5), generator=generator)
    if layer.bias is not None:
        bound = 1 / sqrt(layer.weight[0].numel())
        nn.init.uniform_(layer.bias, -bound, bound, generator=generator)


def glorot_uniform(layer: Layer, generator: torch.Generator, *, gain: float) -> None:
    """Weight from U(−b, b), b = gain √(6 / (fan-in + fan-out)), bias 0. Glorot & Bengio 2010, equation 16."""
    nn.init.xavier_uniform_(layer.weight, _positive("gain", gain), generator)
    _zero(layer.bias)


def glorot_normal(layer: Layer, generator: torch.Generator, *, gain: float) -> None:
    """Weight from N(0, gain² 2 / (fan-in + fan-out)), bias 0. Glorot & Bengio 2010, equation 12."""
    nn.init.xavier_normal_(layer.weight, _positive("gain", gain), generator)
    _zero(layer.bias)


def he_uniform(layer: Layer, generator: torch.Generator, *, mode: str, gain: float) -> None:
    """Weight from U(−b, b), b = gain √(3 / fan), the variance of `he_normal`, bias 0."""
    nn.init.kaiming_uniform_(layer.weight, mode=_mode(mode), nonlinearity="linear", generator=generator)
    _scale(layer.weight, gain)
    _zero(layer.bias)


def he_normal(layer: Layer, generator: torch.Generator, *, mode: str, gain: float) -> None:
    """Weight from N(0, gain² / fan), bias 0.

    He et al. 2015, arXiv:1502.01852, equation 10: a ReLU halves the mean square, so gain = √2 keeps it from layer to
    layer; equation 14 (fan-out) keeps that of the gradient.

    Args:
        layer: weight (out, in, ...); the bias may be None.
        generator: on the CPU.
        mode: fan_in or fan_out.
        gain: positive; √2 for ReLU, 1 without activation.
    Raises:
        ValueError: if mode or gain is something else; the message holds the value.
    """
    nn.init.kaiming_normal_(layer.weight, mode=_mode(mode), nonlinearity="linear", generator=generator)
    _scale(layer.weight, gain)
    _zero(layer.bias)


def gaussian(layer: Layer, generator: torch.Generator, *, std: float) -> None:
    """Weight from N(0, std²), whatever the size of the layer, bias 0. As before 2010; AlexNet took 0.01."""
    nn.init.normal_(layer.weight, 0.0, _positive("std", std), generator)
    _zero(layer.bias)


def _positive(name: str, value: float) -> float:
    if not value > 0:
        raise ValueError(f"init.{name} ({value}) must be positive, or all units of a layer start, and stay, equal")
    return value


def _mode(mode: str) -> Literal["fan_in", "fan_out"]:
    if mode == "fan_in":
        return "fan_in"
    if mode == "fan_out":
        return "fan_out"
    raise ValueError(f"init.mode ({mode}) must be fan_in (keeps the activations' size) or fan_out (the gradient's)")


def _scale(weight: Tensor, gain: float) -> None:
    with torch.no_grad():
        weight.mul_(_positive("gain", gain))


def _zero(bias: Tensor | None) -> None:
    if bias is not None:
        nn.init.zeros_(bias)
