"""Residual networks that train without a norm because of how they begin."""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from normscope.layers.weight_standardisation import StandardisedConv2d
from normscope.models.residual_block import blocks_of

SLOW = 0.1  # of the learning rate


class Shift(nn.Module):
    """y = x + b, b = √0.1 p with one learned number p, which starts at 0."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.tensor(0.0))

    def forward(self, features: Tensor) -> Tensor:
        """Any shape -> the same, in its type."""
        return features + (SLOW**0.5 * self.bias).to(features.dtype)


class Scale(nn.Module):
    """y = a x, a = √0.1 p with one learned number p; a starts at 1."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(SLOW**-0.5))

    def forward(self, features: Tensor) -> Tensor:
        """Any shape -> the same, in its type."""
        return features * (SLOW**0.5 * self.weight).to(features.dtype)


def fixup(network: nn.Sequential) -> nn.Sequential:
    """Scale the initial weights of the residual branches down by their number, and let single numbers shift and scale.

    Zhang et al. 2019, arXiv:1901.09321, "Fixup". With L residual branches of m layers each:
        1. the classifier and the last layer of each branch start at 0;
        2. the other layers of a branch start as usual, times L^(−1/(2m−2));
        3. a number is added before each convolution, activation and the classifier (0 at first), and one multiplies
           the end of each branch (1 at first).
    These numbers take the place of the biases. What is usual in 2 is the chosen init, which finds the factor in the
    attribute `initial_scale` of a layer; the paper takes He's: `init=he_normal`.

    The authors' code gives the single numbers a tenth of the learning rate. Here a number n is √0.1 times the weight p
    that is learned: under SGD, with momentum or without, p ← p − lr ∂L/∂p is the same as n ← n − 0.1 lr ∂L/∂n.

    Deviation: a projection has a shift of its own, which in the authors' code is that of the branch.

    Args:
        network: of residual blocks, without a norm.
    Returns:
        A network whose layers have children `shift`, `conv`, `bias` or `scale` and `bias`, `activation`.
    Raises:
        ValueError: if the network has a norm, which Fixup stands in for; that of the weights undoes their scale.
    """
    if any(
        name.rpartition(".")[2] == "norm" or isinstance(module, StandardisedConv2d)
        for name, module in network.named_modules()
    ):
        raise ValueError("fixup: it takes the place of a norm, and this network has one; take model/norm=none with it")
    blocks = blocks_of(network)
    for block in blocks.values():
        depth = len(block.layers)
        usual = len(blocks) ** (-1 / (2 * depth - 2))
        for number, (name, layer) in enumerate(block.layers.items(), 1):
            ends = number == depth
            layer.get_submodule("conv").initial_scale = 0.0 if ends else usual  # type: ignore[assignment]
            setattr(block, name, _shifted(layer, before=True, scaled=ends))
        if block.shortcut is not None:
            block.shortcut = _shifted(block.shortcut, before=True, after=False)
    children = OrderedDict(network.named_children())
    children["stem"] = _shifted(children["stem"], before=False)
    head = children.pop("head")
    head.initial_scale = 0.0  # type: ignore[assignment]
    return nn.Sequential(OrderedDict(children, shift=Shift(), head=head))


def _shifted(layer: nn.Module, *, before: bool, after: bool = True, scaled: bool = False) -> nn.Sequential:
    """A layer with single numbers around its convolution in place of a bias."""
    children = OrderedDict(layer.named_children())
    conv = children.pop("conv")
    conv.register_parameter("bias", None)
    shifted: OrderedDict[str, nn.Module] = OrderedDict(shift=Shift()) if before else OrderedDict()
    shifted["conv"] = conv
    if scaled:
        shifted["scale"] = Scale()
    if after:
        shifted["bias"] = Shift()
    return nn.Sequential(OrderedDict(shifted, **children))
