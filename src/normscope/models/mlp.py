"""The multilayer perceptron."""

from collections import OrderedDict

from torch import nn

from normscope.layers.weight_layer import Activation, Dropout, Linear, Norm, linear_layer
from normscope.layers.width import scaled


def mlp(
    *,
    in_channels: int,
    classes: int,
    image_size: int,
    hidden_layers: int,
    hidden_units: int,
    width: float,
    bias: str,
    norm: Norm | None,
    norm_position: str = "before",
    activation: Activation,
    linear: Linear = nn.Linear,
    dropout: Dropout | None = None,
) -> nn.Sequential:
    """Fully connected layers of equal width on the flattened image, and a linear classifier.

    Args:
        in_channels, image_size, classes: (N, in_channels, image_size, image_size) -> logits (N, classes).
        hidden_layers: at least 0 (softmax regression).
        hidden_units: in each of them, at least 1.
        width: factor on hidden_units.
        bias: auto (none where a norm with a shift follows) or always.
        norm, activation: factories, after every hidden layer; norm None leaves it out.
        norm_position: before or after the activation.
        linear: factory of the fully connected layers.
        dropout: factory, after every hidden activation; None leaves it out.
    Returns:
        Children `flatten`, `layer1`, `layer2`, ..., `head`.
    Raises:
        ValueError: if hidden_layers, hidden_units, width or bias is out of range; the message holds the value.
    """
    if hidden_layers < 0 or hidden_units < 1:
        raise ValueError(
            f"hidden_layers ({hidden_layers}) of an MLP must be at least 0 and hidden_units ({hidden_units}) at least 1"
        )
    network: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
    features, units = in_channels * image_size**2, scaled(hidden_units, width)
    for number in range(1, hidden_layers + 1):
        network[f"layer{number}"] = linear_layer(
            features,
            units,
            linear=linear,
            bias=bias,
            norm=norm,
            norm_position=norm_position,
            activation=activation,
            dropout=dropout,
        )
        features = units
    network["head"] = linear(features, classes, bias=True)
    return nn.Sequential(network)
