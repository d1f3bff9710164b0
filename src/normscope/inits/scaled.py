"""Weights whose variance follows the size of the layer."""

from math import sqrt

import torch
from torch import Tensor, nn

from normscope.inits.gains import chosen_gain
from normscope.inits.layer import Layer, zero


def default(layer: Layer, generator: torch.Generator, activation_gain: float) -> None:
    """PyTorch's own: weight and bias from U(−1/√n, 1/√n), n being the fan-in, whatever the activation.

    `torch.nn.Linear.reset_parameters`: Kaiming uniform with a = √5, so that the weight's variance is 1/(3n), a sixth
    of He's. For the weight it is what Glorot & Bengio 2010 call the standard initialisation (equation 1).
    """
    nn.init.kaiming_uniform_(layer.weight, a=sqrt(5), generator=generator)
    if layer.bias is not None:
        bound = 1 / sqrt(layer.weight[0].numel())
        nn.init.uniform_(layer.bias, -bound, bound, generator=generator)


def standard(layer: Layer, generator: torch.Generator, activation_gain: float) -> None:
    """Weight from U(−1/√n, 1/√n), n being the fan-in, bias 0, whatever the activation.

    Glorot & Bengio 2010, equation 1: "the commonly used heuristic", against which they hold their own. n Var W = 1/3,
    so that a layer of tanh units takes the signal to less than 0.58 of its size. `default` has the same weights, and
    biases from the same interval, which keep deep layers from falling silent.
    """
    bound = 1 / sqrt(_fan(layer.weight, "fan_in"))
    nn.init.uniform_(layer.weight, -bound, bound, generator)
    zero(layer.bias)


def glorot_uniform(layer: Layer, generator: torch.Generator, activation_gain: float, *, gain: float | str) -> None:
    """Weight from U(−b, b), b = gain √(6 / (fan-in + fan-out)), bias 0. Glorot & Bengio 2010, equation 16."""
    nn.init.xavier_uniform_(layer.weight, chosen_gain(gain, activation_gain), generator)
    zero(layer.bias)


def glorot_normal(layer: Layer, generator: torch.Generator, activation_gain: float, *, gain: float | str) -> None:
    """Weight from N(0, gain² 2 / (fan-in + fan-out)), bias 0.

    Glorot & Bengio 2010, equation 12: the compromise between keeping the signal's size (fan-in) and the gradient's
    (fan-out), for an activation that is linear around 0. Their gain is 1, for tanh and softsign too.

    Args:
        layer: weight (out, in, ...); the bias may be None.
        generator: on the CPU.
        activation_gain: what the network's activation asks for, taken where gain is auto.
        gain: auto or positive.
    Raises:
        ValueError: if gain is something else; the message holds the value.
    """
    nn.init.xavier_normal_(layer.weight, chosen_gain(gain, activation_gain), generator)
    zero(layer.bias)


def he_uniform(
    layer: Layer, generator: torch.Generator, activation_gain: float, *, mode: str, gain: float | str
) -> None:
    """Weight from U(−b, b), b = gain √(3 / fan), the variance of `he_normal`, bias 0."""
    bound = sqrt(3) / sqrt(_fan(layer.weight, mode))
    nn.init.uniform_(layer.weight, -bound, bound, generator)
    _scale(layer.weight, chosen_gain(gain, activation_gain))
    zero(layer.bias)


def he_normal(
    layer: Layer, generator: torch.Generator, activation_gain: float, *, mode: str, gain: float | str
) -> None:
    """Weight from N(0, gain² / fan), bias 0.

    He et al. 2015, arXiv:1502.01852, equation 10: a ReLU halves the mean square, so gain = √2 keeps it from layer to
    layer; equation 14 (fan-out) keeps that of the gradient. The gain of other activations: `activation_gain`.

    Args:
        layer: weight (out, in, ...); the bias may be None.
        generator: on the CPU.
        activation_gain: what the network's activation asks for, taken where gain is auto.
        mode: fan_in, fan_out, or fan_avg for the mean of both.
        gain: auto or positive; √2 for ReLU, 1 without activation.
    Raises:
        ValueError: if mode or gain is something else; the message holds the value.
    """
    nn.init.normal_(layer.weight, 0.0, 1 / sqrt(_fan(layer.weight, mode)), generator)
    _scale(layer.weight, chosen_gain(gain, activation_gain))
    zero(layer.bias)


def lecun_uniform(layer: Layer, generator: torch.Generator, activation_gain: float, *, mode: str) -> None:
    """Weight from U(−b, b), b = √(3 / fan), the variance of `lecun_normal`, bias 0."""
    he_uniform(layer, generator, activation_gain, mode=mode, gain=1.0)


def lecun_normal(layer: Layer, generator: torch.Generator, activation_gain: float, *, mode: str) -> None:
    """Weight from N(0, 1 / fan), bias 0, whatever the activation.

    LeCun et al. 1998, "Efficient BackProp", equation 16. SELU is made for it: mean 0 and variance 1 are a fixed point
    of its layers (Klambauer et al. 2017, arXiv:1706.02515). Under ReLU the mean square halves with every layer.

    Args:
        layer: weight (out, in, ...); the bias may be None.
        generator: on the CPU.
        activation_gain: not looked at.
        mode: fan_in (the paper's), fan_out, or fan_avg for the mean of both.
    Raises:
        ValueError: if mode is something else; the message holds the value.
    """
    he_normal(layer, generator, activation_gain, mode=mode, gain=1.0)


def _fan(weight: Tensor, mode: str) -> float:
    """How many products go into an output (fan-in), or come from an input (fan-out); (out, in, ...) -> number."""
    fan_in = weight[0].numel()
    fan_out = weight.shape[0] * weight[0, 0].numel()
    fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
    if mode not in fans:
        raise ValueError(
            f"init.mode ({mode}) must be fan_in (keeps the activations' size), fan_out (the gradient's) or fan_avg"
        )
    return fans[mode]


def _scale(weight: Tensor, gain: float) -> None:
    with torch.no_grad():
        weight.mul_(gain)
