"""Residual networks."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial

from torch import nn

from normscope.layers.global_average import GlobalAverage
from normscope.layers.weight_layer import Activation, Dropout, Linear, Norm, activation_for, conv_layer
from normscope.layers.width import scaled
from normscope.models.residual_block import ResidualBlock

CHANNELS = (64, 128, 256, 512)
BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
BOTTLENECKS = (50, 101)
Pool = Callable[[int], nn.Module]
Branch = Callable[[int, int], nn.Module]
Residual = Callable[[nn.Sequential], nn.Sequential]
Conv = Callable[..., nn.Sequential]  # conv_layer that knows the network's norm and bias rule


def resnet(
    *,
    in_channels: int,
    classes: int,
    image_size: int,
    depth: int,
    width: float,
    stem: str,
    bias: str,
    norm: Norm | None,
    norm_position: str = "before",
    activation: Activation,
    residual: Residual | None = None,
    pool: Pool | None = None,
    linear: Linear = nn.Linear,
    dropout: Dropout | None = None,
    branch: Branch | None = None,
) -> nn.Sequential:
    """Four stages of residual blocks, each stage at half the resolution of the one before, and a linear classifier.

    He et al. 2016, arXiv:1512.03385, table 1: two 3x3 convolutions a block (18, 34) or 1x1, 3x3, 1x1 (50, 101), a
    projection where the shape changes (option B).

    Deviation: a stem of one 3x3 convolution, for images of 32x32, unless stem is imagenet. Deviation: in the blocks of
    ResNet-50 and 101 that halve the image the 3x3 convolution does it, not the first 1x1, as in PyTorch's own ("v1.5").

    Args:
        in_channels, classes: (N, in_channels, image_size, image_size) -> logits (N, classes).
        image_size: any; what the stages leave is averaged over space.
        depth: 18, 34, 50 or 101.
        width: factor on every number of channels.
        stem: cifar (3x3, stride 1), or imagenet (7x7, stride 2, then a 3x3 max pool of stride 2).
        bias: auto (none where a norm with a shift follows) or always.
        norm, activation: factories, after every convolution and after the additions; norm None leaves it out.
        norm_position: before or after the activation; at the end of a branch, where there is none, before the addition.
        residual: network -> network with its blocks rebuilt, such as without their shortcuts; None leaves them.
        pool: kernel size -> module that halves the image, in the imagenet stem; None is the max pool.
        linear, dropout: factories of the head and of what comes right before it; dropout None leaves it out.
        branch: (index from 0, number of blocks) -> module at the end of that residual branch; None leaves it out.
    Returns:
        Children `stem`, `block1`, `block2`, ..., `average`, `dropout` if any, `head`.
    Raises:
        ValueError: if depth, stem, width, bias, pool, activation or residual does not fit; the message holds the value.
    """
    if depth not in BLOCKS:
        raise ValueError(f"depth ({depth}) of a ResNet must be one of {', '.join(map(str, BLOCKS))}")
    conv = partial(conv_layer, bias=bias, norm=norm, norm_position=norm_position)
    network: OrderedDict[str, nn.Module] = OrderedDict()
    network["stem"] = _stem(stem, in_channels, scaled(CHANNELS[0], width), conv, activation, pool)
    inputs, layers = scaled(CHANNELS[0], width), bottleneck if depth in BOTTLENECKS else basic
    expansion = 4 if depth in BOTTLENECKS else 1
    for index, (published, stride) in enumerate(_plan(depth)):
        built = layers(inputs, scaled(published, width), stride, conv, activation)
        outputs = expansion * scaled(published, width)
        changes = stride != 1 or outputs != inputs
        shortcut = conv(inputs, outputs, kernel_size=1, stride=stride, activation=None) if changes else None
        end = branch and branch(index, sum(BLOCKS[depth]))
        network[f"block{index + 1}"] = ResidualBlock(built, shortcut, end, activation_for(outputs, activation))
        inputs = outputs
    network["average"] = GlobalAverage()  # (N, C, H, W) -> (N, C)
    if dropout is not None:
        network["dropout"] = dropout()
    network["head"] = linear(inputs, classes, bias=True)
    built_network = nn.Sequential(network)
    return built_network if residual is None else residual(built_network)


def basic(inputs: int, channels: int, stride: int, conv: Conv, activation: Activation) -> list[nn.Sequential]:
    """Two 3x3 convolutions; the block's own activation follows the addition. Figure 5, left."""
    return [
        conv(inputs, channels, kernel_size=3, stride=stride, activation=activation),
        conv(channels, channels, kernel_size=3, activation=None),
    ]


def bottleneck(inputs: int, channels: int, stride: int, conv: Conv, activation: Activation) -> list[nn.Sequential]:
    """1x1 to few channels, 3x3, 1x1 to four times as many. Figure 5, right."""
    return [
        conv(inputs, channels, kernel_size=1, activation=activation),
        conv(channels, channels, kernel_size=3, stride=stride, activation=activation),
        conv(channels, 4 * channels, kernel_size=1, activation=None),
    ]


def _plan(depth: int) -> Iterator[tuple[int, int]]:
    """Channels and stride of each block: the first of a stage halves the image, but in the first stage."""
    for stage, (channels, count) in enumerate(zip(CHANNELS, BLOCKS[depth], strict=True)):
        for number in range(count):
            yield channels, 2 if stage and not number else 1


def _stem(
    stem: str, in_channels: int, channels: int, conv: Conv, activation: Activation, pool: Pool | None
) -> nn.Sequential:
    if stem == "cifar":
        if pool is not None:
            raise ValueError("stem (cifar) of a ResNet has no pool to replace; take model.stem=imagenet, or a VGG")
        return conv(in_channels, channels, kernel_size=3, activation=activation)
    if stem != "imagenet":
        raise ValueError(f"stem ({stem}) of a ResNet must be cifar (3x3) or imagenet (7x7 and a max pool)")
    layer = conv(in_channels, channels, kernel_size=7, stride=2, activation=activation)
    layer.add_module("pool", nn.MaxPool2d(3, 2, 1) if pool is None else pool(3))
    return layer
