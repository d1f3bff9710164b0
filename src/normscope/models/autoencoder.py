"""The convolutional autoencoder."""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from itertools import takewhile

import torch
from torch import nn

from normscope.layers.weight_layer import Activation, Norm, conv_layer, pieces_of
from normscope.models.vgg import vgg


def autoencoder(
    *,
    in_channels: int,
    classes: int,
    image_size: int,
    depth: int,
    layers: int | None,
    width: float,
    bias: str,
    norm: Norm | None,
    norm_position: str = "before",
    activation: Activation,
    pool: Callable[[int], nn.Module] = nn.MaxPool2d,
) -> nn.Sequential:
    """The convolutions of a VGG, and their mirror image that leads from the code back to an image.

    Masci et al. 2011, "Stacked convolutional auto-encoders for hierarchical feature extraction", ICANN. The encoder is
    VGG's own, by name, shape and function, so that its weights can begin a VGG. The decoder goes through it backwards:
    a convolution for each convolution, with the channels the other way round, a nearest-neighbour enlargement for each
    pool; no weights are shared. The last convolution puts out pixels, without norm and activation.

    Deviation: instead of transposed convolutions the image is enlarged and convolved, which leaves no checkerboard
    (Odena et al. 2016, "Deconvolution and checkerboard artifacts", Distill).

    Args:
        in_channels, image_size: of the images; the pools must halve them without a remainder.
        classes: numbers in the output (N, classes): those of an image, in the order of channels, rows, columns.
        depth: 11, 13, 16 or 19, of the VGG.
        layers: convolutions of the encoder, with the pools between and after them; None: all.
        width, bias, norm, norm_position, activation, pool: as in the VGG; the decoder's are the same.
    Returns:
        Children `layer1`, `pool1`, `layer2`, ... (encoder), ..., `decoder2`, `unpool1`, `decoder1`, `flatten`: each of
        the decoder bears the number of what it mirrors.
    Raises:
        ValueError: if the output is to be no image, or a value is out of range; the message holds it.
    """
    if classes != in_channels * image_size**2:
        raise ValueError(
            f"an autoencoder gives back the {in_channels * image_size**2} numbers of an image, and {classes} outputs "
            "are asked for; take task=reconstruction loss=squared_error with it, or another model"
        )
    whole = vgg(
        in_channels=in_channels,
        classes=1,
        image_size=image_size,
        depth=depth,
        width=width,
        head="linear",
        bias=bias,
        norm=norm,
        norm_position=norm_position,
        activation=activation,
        pool=pool,
    )
    network = OrderedDict(first_layers(whole, layers))
    pools = sum(name.startswith("pool") for name in network)
    if pools and (left := pool(2)(torch.zeros(1, 1, 32, 32)).shape[-1]) != 16:
        raise ValueError(
            f"pool leaves {left} of 32 pixels, and the decoder doubles the image for each pool, which has to halve it; "
            "leave regularizer=[fractional_max_pool] out, or take another model"
        )
    if image_size % 2**pools:
        raise ValueError(
            f"image_size ({image_size}) must be a multiple of {2**pools}, since {pools} pools halve it and the decoder "
            "doubles it as often; take other images, or fewer layers"
        )
    convolve = partial(conv_layer, kernel_size=3, bias=bias, norm_position=norm_position)
    for name, module in reversed(network.copy().items()):
        number = name.removeprefix("pool").removeprefix("layer")
        if name.startswith("pool"):
            network[f"unpool{number}"] = nn.Upsample(scale_factor=2)
            continue
        outputs, inputs, *_ = module.get_parameter("conv.weight").shape
        channels = outputs // pieces_of(module.get_submodule("activation"))
        hidden = {"norm": norm, "activation": activation} if number != "1" else {"norm": None, "activation": None}
        network[f"decoder{number}"] = convolve(channels, inputs, **hidden)
    network["flatten"] = nn.Flatten()  # (N, C, H, W) -> (N, C * H * W)
    return nn.Sequential(network)


def first_layers(network: nn.Sequential, layers: int | None) -> dict[str, nn.Module]:
    """The first convolutions of a VGG with their names, and the pools between and after them.

    Raises:
        ValueError: if it has not so many.
    """
    features = {name: child for name, child in network.named_children() if name.startswith(("layer", "pool"))}
    number = sum(name.startswith("layer") for name in features)
    if layers is not None and not 1 <= layers <= number:
        raise ValueError(f"layers ({layers}) of the autoencoder must lie within 1 and {number}, the VGG's convolutions")
    beyond = f"layer{number + 1 if layers is None else layers + 1}"
    return dict(takewhile(lambda entry: entry[0] != beyond, features.items()))
