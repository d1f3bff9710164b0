"""Orthogonal matrices as weights."""

import torch
from torch import nn

from normscope.inits.gains import chosen_gain
from normscope.inits.layer import Layer, zero


def orthogonal(layer: Layer, generator: torch.Generator, activation_gain: float, *, gain: float | str) -> None:
    """Weight W = gain Q with orthonormal rows (columns, if there are more rows than columns), bias 0.

    Saxe et al. 2014, arXiv:1312.6120, section 3: all singular values are equal, so that a deep linear network passes
    every direction of signal and gradient on at the same size, where a Gaussian matrix does so on average only. A
    convolution's weight (out, in, k, k) is taken as the matrix (out, in k²). Q is uniform over such matrices.

    Args:
        layer: weight (out, in, ...); the bias may be None.
        generator: on the CPU.
        activation_gain: what the network's activation asks for, taken where gain is auto.
        gain: auto or positive; 1 for a linear network.
    Raises:
        ValueError: if gain is something else; the message holds the value.
    """
    nn.init.orthogonal_(layer.weight, chosen_gain(gain, activation_gain), generator)
    zero(layer.bias)
