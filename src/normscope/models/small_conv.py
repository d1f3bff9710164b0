"""A small convolutional network."""

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import nn

from normscope.layers.weight_layer import Activation, Dropout, Linear, Norm, conv_layer
from normscope.layers.width import scaled

CHANNELS = (64, 64, 64)


def small_conv(
    *,
    in_channels: int,
    classes: int,
    image_size: int,
    width: float,
    bias: str,
    norm: Norm | None,
    norm_position: str,
    activation: Activation,
    pool: Callable[[int], nn.Module] = nn.MaxPool2d,
    linear: Linear = nn.Linear,
    dropout: Dropout | None = None,
) -> nn.Sequential:
    """Three 5x5 convolutions of 64 channels, each followed by a pool, and a linear classifier.

    Hinton et al. 2012, arXiv:1207.0580, appendix, "Models for CIFAR-10": the network without dropout.

    Deviation: 2x2 max pools in place of one 3x3 max pool and two average pools, and no response normalisation.

    Args:
        in_channels, classes: (N, in_channels, image_size, image_size) -> logits (N, classes).
        image_size: at least 8 pixels, since three pools halve it.
        width: factor on every number of channels.
        bias: auto (none where a norm with a shift follows) or always.
        norm, activation: factories, after every convolution; norm None leaves it out.
        norm_position: before or after the activation.
        pool: kernel size -> module that shrinks the image.
        linear, dropout: factories of the head and of what comes right before it; dropout None leaves it out.
    Returns:
        Children `layer1`, `pool1`, ..., `pool3`, `flatten`, `dropout` if any, `head`.
    Raises:
        ValueError: if image_size, width, bias or norm_position does not fit; the message holds the value.
    """
    if image_size < 8:
        raise ValueError(
            f"image_size ({image_size}) of a small conv net must be at least 8 pixels, since three pools halve it; "
            "take larger images, or model=mlp"
        )
    network: OrderedDict[str, nn.Module] = OrderedDict()
    channels, size = in_channels, image_size
    for number, published in enumerate(CHANNELS, 1):
        inputs, channels = channels, scaled(published, width)
        network[f"layer{number}"] = conv_layer(
            inputs, channels, kernel_size=5, bias=bias, norm=norm, norm_position=norm_position, activation=activation
        )
        network[f"pool{number}"] = pool(2)
        size = network[f"pool{number}"](torch.zeros(1, 1, size, size)).shape[-1]  # not every pool halves
    network["flatten"] = nn.Flatten()  # (N, C, H, W) -> (N, C * H * W)
    if dropout is not None:
        network["dropout"] = dropout()
    network["head"] = linear(channels * size**2, classes, bias=True)
    return nn.Sequential(network)
