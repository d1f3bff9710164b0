"""Initial weights: what a layer draws them from, and how a network comes to them."""

from normscope.inits.drawing import Init, Layer, initialise
from normscope.inits.fixed import constant, gaussian
from normscope.inits.gains import activation_gain
from normscope.inits.orthonormal import orthogonal
from normscope.inits.scaled import (
    default,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    lecun_normal,
    lecun_uniform,
    standard,
)
from normscope.inits.unit_variance import Lsuv, unit_variance

__all__ = [
    "Init",
    "Layer",
    "Lsuv",
    "activation_gain",
    "constant",
    "default",
    "gaussian",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "initialise",
    "lecun_normal",
    "lecun_uniform",
    "orthogonal",
    "standard",
    "unit_variance",
]
