"""A layer with weights, and what follows it: norm, activation, dropout."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from torch import nn

Activation = Callable[[], nn.Module]
Dropout = Callable[[], nn.Module]


class Norm(Protocol):
    """Makes the norm for so many channels; spatial for (N, C, H, W), else for (N, C)."""

    def __call__(self, channels: int, spatial: bool) -> nn.Module: ...


class Linear(Protocol):
    """Makes a fully connected layer."""

    def __call__(self, in_features: int, out_features: int, /, *, bias: bool) -> nn.Module: ...


def conv_layer(
    in_channels: int,
    out_channels: int,
    *,
    kernel_size: int,
    stride: int = 1,
    bias: str,
    norm: Norm | None,
    activation: Activation | None,
) -> nn.Sequential:
    """A convolution padded so that stride 1 keeps the size of the image, its norm and its activation.

    Args:
        in_channels, out_channels: (N, in, H, W) -> (N, out, ceil(H / stride), ceil(W / stride)).
        kernel_size: odd, in pixels.
        bias: auto or always, see `needs_bias`.
        norm, activation: factories; None leaves the place empty.
    Returns:
        Children `conv`, `norm`, `activation`, as far as they are there.
    """
    normalise = None if norm is None else norm(out_channels, spatial=True)
    conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, bias=needs_bias(normalise, bias))
    return _sequence(conv=conv, norm=normalise, activation=activation and activation())


def linear_layer(
    in_features: int,
    out_features: int,
    *,
    linear: Linear,
    bias: str,
    norm: Norm | None,
    activation: Activation,
    dropout: Dropout | None,
) -> nn.Sequential:
    """A fully connected layer (N, in) -> (N, out), its norm, its activation and its dropout.

    Args:
        linear: factory of the layer itself.
        bias: auto or always, see `needs_bias`.
        norm, activation, dropout: factories; None leaves the place empty.
    Returns:
        Children `linear`, `norm`, `activation`, `dropout`, as far as they are there.
    """
    normalise = None if norm is None else norm(out_features, spatial=False)
    product = linear(in_features, out_features, bias=needs_bias(normalise, bias))
    return _sequence(linear=product, norm=normalise, activation=activation(), dropout=dropout and dropout())


def needs_bias(norm: nn.Module | None, bias: str) -> bool:
    """Whether a layer keeps its bias before this norm.

    A norm that subtracts the mean removes the bias, and its own shift β takes over (Ioffe & Szegedy 2015, section
    3.2). A norm without a shift leaves the bias in place.

    Args:
        norm: what follows the layer; it shifts if its attribute `bias` is a parameter.
        bias: "auto" for the rule above, "always" to keep every bias.
    Raises:
        ValueError: if bias is something else; the message holds it.
    """
    if bias not in ("auto", "always"):
        raise ValueError(f"bias ({bias}) must be auto (dropped where a norm with a shift follows) or always")
    return bias == "always" or getattr(norm, "bias", None) is None


def _sequence(**children: nn.Module | None) -> nn.Sequential:
    return nn.Sequential(OrderedDict((name, child) for name, child in children.items() if child is not None))
