"""VGG."""

from collections import OrderedDict
from collections.abc import Callable

from torch import nn

from normscope.layers.global_average import GlobalAverage
from normscope.layers.weight_layer import Activation, Dropout, Linear, Norm, conv_layer, linear_layer
from normscope.layers.width import scaled

CHANNELS = (64, 128, 256, 512, 512)
CONVOLUTIONS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


def vgg(
    *,
    in_channels: int,
    classes: int,
    image_size: int,
    depth: int,
    width: float,
    head: str,
    bias: str,
    norm: Norm | None,
    norm_position: str = "before",
    activation: Activation,
    pool: Callable[[int], nn.Module] = nn.MaxPool2d,
    linear: Linear = nn.Linear,
    dropout: Dropout | None = None,
) -> nn.Sequential:
    """Five stages of 3x3 convolutions, each ended by a 2x2 max pool, and a classifier.

    Simonyan & Zisserman 2015, arXiv:1409.1556, table 1, columns A, B, D and E.

    Deviation: the paper's images are 224x224, and three layers of 4096, 4096 and 1000 units end its network. At
    32x32 the five pools leave one pixel, and the usual end is one layer, 512 -> K, or 512 -> 512 -> 512 -> K.

    Args:
        in_channels, classes: (N, in_channels, image_size, image_size) -> logits (N, classes).
        image_size: at least 32 pixels; what the pools leave of larger images is averaged over space.
        depth: 11, 13, 16 or 19, the number of weight layers in the paper.
        width: factor on every number of channels.
        head: linear, or mlp for two hidden layers with norm, activation and dropout before it.
        bias: auto (none where a norm with a shift follows) or always.
        norm, activation: factories, after every hidden weight layer; norm None leaves it out.
        norm_position: before or after the activation.
        pool: kernel size -> module that halves the image.
        linear: factory of the fully connected layers.
        dropout: factory, before the linear head or after every hidden activation of the mlp; None leaves it out.
    Returns:
        Children `layer1`, `layer2`, ... (weight layers), `pool1` .. `pool5`, `average`, `dropout` if any, `head`.
    Raises:
        ValueError: if depth, head, width, bias or image_size is out of range; the message holds the value.
    """
    _check(depth, head, image_size)
    network: OrderedDict[str, nn.Module] = OrderedDict()
    channels, number = in_channels, 0
    for stage, (published, count) in enumerate(zip(CHANNELS, CONVOLUTIONS[depth], strict=True), 1):
        for _ in range(count):
            inputs, channels, number = channels, scaled(published, width), number + 1
            network[f"layer{number}"] = conv_layer(
                inputs,
                channels,
                kernel_size=3,
                bias=bias,
                norm=norm,
                norm_position=norm_position,
                activation=activation,
            )
        network[f"pool{stage}"] = pool(2)
    network["average"] = GlobalAverage()  # (N, C, 1, 1) -> (N, C) at 32x32
    for hidden in range(1, 3 if head == "mlp" else 1):
        network[f"layer{number + hidden}"] = linear_layer(
            channels,
            channels,
            linear=linear,
            bias=bias,
            norm=norm,
            norm_position=norm_position,
            activation=activation,
            dropout=dropout,
        )
    if head == "linear" and dropout is not None:
        network["dropout"] = dropout()
    network["head"] = linear(channels, classes, bias=True)
    return nn.Sequential(network)


def _check(depth: int, head: str, image_size: int) -> None:
    if depth not in CONVOLUTIONS:
        raise ValueError(f"depth ({depth}) of a VGG must be one of {', '.join(map(str, CONVOLUTIONS))}")
    if head not in ("linear", "mlp"):
        raise ValueError(f"head ({head}) of a VGG must be linear or mlp")
    if image_size < 32:
        raise ValueError(
            f"image_size ({image_size}) of a VGG must be at least 32 pixels, since five pools halve it; raise "
            f"dataset.pad by {-(-(32 - image_size) // 2)} where the dataset has one (mnist, fashion_mnist), take "
            "larger images, or model=resnet18 or model=mlp, which accept any size"
        )
