"""The deep linear network."""

from collections import OrderedDict

from torch import nn

from normscope.layers.weight_layer import Linear, Norm, linear_layer
from normscope.layers.width import scaled


def deep_linear(
    *,
    in_channels: int,
    classes: int,
    image_size: int,
    layers: int,
    units: int,
    width: float,
    norm: Norm | None,
    linear: Linear = nn.Linear,
) -> nn.Sequential:
    """A product of matrices, without biases and activations, with a norm behind each.

    Santurkar et al. 2018, arXiv:1805.11604, appendix A.2: f(x) = W_1 W_2 ... W_25 x with 10x10 matrices. Which of them
    a norm follows is not said: here all, the last one too. What it computes is linear in x; its loss is not convex.

    Args:
        in_channels, image_size: of the inputs (N, in_channels, image_size, image_size), which are flattened.
        classes: numbers in the output (N, classes).
        layers: number of matrices, at least 1.
        units: rows of all matrices but the last.
        width: factor on units.
        norm: factory, after every matrix; None leaves it out.
        linear: factory of the layers; it is never asked for a bias.
    Returns:
        Children `flatten`, `layer1`, `layer2`, ...; their `activation` is the identity, for probes to look at.
    Raises:
        ValueError: if layers, units or width is out of range; the message holds the value.
    """
    if layers < 1 or units < 1:
        raise ValueError(f"layers ({layers}) and units ({units}) of a deep linear network must be at least 1")

    def unbiased(in_features: int, out_features: int, /, *, bias: bool) -> nn.Module:
        return linear(in_features, out_features, bias=False)

    network: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
    features = in_channels * image_size**2
    for number in range(1, layers + 1):
        outputs = classes if number == layers else scaled(units, width)
        network[f"layer{number}"] = linear_layer(
            features, outputs, linear=unbiased, bias="auto", norm=norm, activation=nn.Identity, dropout=None
        )
        features = outputs
    return nn.Sequential(network)
