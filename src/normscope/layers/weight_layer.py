"""A layer with weights, and what follows it: norm, activation, dropout."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from torch import nn

Activation = Callable[[], nn.Module]
Dropout = Callable[[], nn.Module]


class Norm(Protocol):
    """Makes the norm for so many channels; spatial for (N, C, H, W), else for (N, C).

    One that acts on the weights of convolutions has a method `conv` beside, called as `torch.nn.Conv2d` is, which makes
    them; its norm of the outputs may be None.
    """

    def __call__(self, channels: int, spatial: bool) -> nn.Module | None: ...


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
    norm_position: str = "before",
    activation: Activation | None,
) -> nn.Sequential:
    """A convolution padded so that stride 1 keeps the size of the image, its norm and its activation.

    Args:
        in_channels, out_channels: (N, in, H, W) -> (N, out, ceil(H / stride), ceil(W / stride)).
        kernel_size: odd, in pixels.
        bias: auto or always, see `needs_bias`.
        norm, activation: factories; None leaves the place empty.
        norm_position: of the norm, before or after the activation.
    Returns:
        Children `conv`, `norm`, `activation`, as far as they are there, in the order in which they act.
    """
    activate = activation and activation_for(out_channels, activation)
    channels = out_channels * pieces_of(activate)
    is_last = comes_last(norm_position) and activate is not None
    normalise = None if norm is None else norm(out_channels if is_last else channels, spatial=True)
    keeps_bias = needs_bias(None if is_last else normalise, bias)
    make = getattr(norm, "conv", nn.Conv2d)
    conv = make(in_channels, channels, kernel_size, stride, kernel_size // 2, bias=keeps_bias)
    if is_last:
        return _sequence(conv=conv, activation=activate, norm=normalise)
    return _sequence(conv=conv, norm=normalise, activation=activate)


def linear_layer(
    in_features: int,
    out_features: int,
    *,
    linear: Linear,
    bias: str,
    norm: Norm | None,
    norm_position: str = "before",
    activation: Activation,
    dropout: Dropout | None,
) -> nn.Sequential:
    """A fully connected layer (N, in) -> (N, out), its norm, its activation and its dropout.

    Args:
        linear: factory of the layer itself.
        bias: auto or always, see `needs_bias`.
        norm, activation, dropout: factories; None leaves the place empty.
        norm_position: of the norm, before or after the activation.
    Returns:
        Children `linear`, `norm`, `activation`, `dropout`, as far as they are there, in the order in which they act.
    """
    activate = activation_for(out_features, activation)
    features = out_features * pieces_of(activate)
    is_last = comes_last(norm_position)
    normalise = None if norm is None else norm(out_features if is_last else features, spatial=False)
    product = linear(in_features, features, bias=needs_bias(None if is_last else normalise, bias))
    drop = dropout and dropout()
    if is_last:
        return _sequence(linear=product, activation=activate, norm=normalise, dropout=drop)
    return _sequence(linear=product, norm=normalise, activation=activate, dropout=drop)


def comes_last(norm_position: str) -> bool:
    """Whether the norm follows the activation.

    Ioffe & Szegedy 2015, arXiv:1502.03167, section 3.2, put it before, where the values are closer to a Gaussian;
    opinions differ.

    Raises:
        ValueError: if norm_position is neither before nor after; the message holds it.
    """
    if norm_position not in ("before", "after"):
        raise ValueError(f"norm_position ({norm_position}) must be before or after the activation")
    return norm_position == "after"


def activation_for(channels: int, activation: Activation) -> nn.Module:
    """An activation that puts out so many channels; one with parameters of each is told by its method `fit`."""
    made = activation()
    fit = getattr(made, "fit", None)
    if fit is not None:
        fit(channels)
    return made


def pieces_of(activation: nn.Module | None) -> int:
    """How many channels an activation makes one of: its attribute `pieces`, as maxout has it, else 1."""
    return int(getattr(activation, "pieces", 1))


def needs_bias(norm: nn.Module | None, bias: str) -> bool:
    """Whether a layer keeps its bias before this norm.

    BatchNorm and instance norm subtract the mean of each channel and the bias with it, and their own shift β takes over
    (Ioffe & Szegedy 2015, section 3.2). Layer and group norm, which average over channels, and l1, l2 and l_infinity,
    which divide by the size before the mean is removed, would see it; it is left out all the same, so that networks
    differ in their norm alone. A norm without a shift leaves the bias in place.

    Args:
        norm: what follows the layer directly; it shifts if its attribute `bias` is a parameter.
        bias: "auto" for the rule above, "always" to keep every bias.
    Raises:
        ValueError: if bias is something else; the message holds it.
    """
    if bias not in ("auto", "always"):
        raise ValueError(f"bias ({bias}) must be auto (dropped where a norm with a shift follows) or always")
    return bias == "always" or getattr(norm, "bias", None) is None


def _sequence(**children: nn.Module | None) -> nn.Sequential:
    return nn.Sequential(OrderedDict((name, child) for name, child in children.items() if child is not None))
