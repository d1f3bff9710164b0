"""Blocks are found in the network itself, whatever its model calls them."""

import pytest
from torch import nn

from normscope.assemble import assemble
from normscope.blocks import blocks, named
from normscope.composed import composed
from tests.commands import TINY

LAYERS = tuple((f"layer{number}",) for number in range(1, 9))
RESIDUAL = tuple((f"block{number}",) for number in range(1, 8))


@pytest.mark.parametrize(
    ("overrides", "wanted"),
    [
        (["model=vgg11"], (*LAYERS, ("head",))),
        (["model=vgg11", "regularizer=[dropout]", "model/activation=prelu"], (*LAYERS, ("head",))),
        (["model=resnet18"], (("stem",), *RESIDUAL, ("block8",), ("head",))),
        (
            ["model=resnet18", "model/residual=fixup", "model/norm=none"],
            (("stem",), *RESIDUAL, ("block8", "shift"), ("head",)),
        ),
        (["model=mlp", "model.hidden_layers=2"], (("layer1",), ("layer2",), ("head",))),
        (["model=deep_linear", "model.layers=3"], (("layer1",), ("layer2",), ("layer3",))),
    ],
)
def test_the_blocks_of_a_model_are_its_layers_or_residual_blocks(overrides, wanted):
    network = assemble(*composed([*TINY, *overrides])).trainee.network
    assert blocks(network) == wanted
    children = {name for block in wanted for name in block}
    assert {name.partition(".")[0] for name, _ in network.named_parameters()} == children


def test_blocks_are_named_by_their_ends():
    assert named(LAYERS) == "layer1 to layer8"
    assert named((("block8", "shift"),)) == "block8"
    assert named(()) == "none"


def test_a_network_without_weights_has_no_blocks():
    assert blocks(nn.Sequential(nn.Flatten(), nn.BatchNorm1d(3))) == ()
