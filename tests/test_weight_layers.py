from collections import OrderedDict

import pytest
import torch
from torch import nn
from torch.func import functional_call

from normscope.models.resnet import resnet
from normscope.weight_layers import order_of_use, weight_layers
from tests.recorded import small_network


def test_layers_are_called_by_what_holds_their_convolution_or_product():
    assert weight_layers(small_network()) == {
        "layer1": "layer1.conv.weight",
        "layer2": "layer2.conv.weight",
        "layer3": "layer3.linear.weight",
        "head": "head.weight",
    }


def test_two_weights_of_one_layer_keep_their_own_names():
    both = nn.ModuleDict({"layer1": nn.ModuleDict({"conv": nn.Conv2d(1, 1, 1), "linear": nn.Linear(1, 1)})})
    assert list(weight_layers(both)) == ["layer1", "layer1.linear"]


def small_resnet():
    return resnet(
        in_channels=3,
        classes=10,
        image_size=8,
        depth=18,
        width=0.05,
        stem="cifar",
        bias="auto",
        norm=lambda channels, spatial: nn.BatchNorm2d(channels),
        activation=nn.PReLU,
    )


def order_in(network, images):
    weights = dict(network.named_parameters())
    return order_of_use(lambda: functional_call(network, weights, (images,)), weights)


def test_a_resnet_begins_with_its_stem_and_a_block_takes_its_branch_before_its_shortcut():
    order = order_in(small_resnet(), torch.zeros(2, 3, 8, 8))
    assert order[:4] == ["stem.conv.weight", "stem.norm.weight", "stem.norm.bias", "stem.activation.weight"]
    of_block_3 = [name for name in order if name.startswith("block3.") and name.endswith(("conv.weight", "on.weight"))]
    assert of_block_3 == [
        "block3.layer1.conv.weight",
        "block3.layer1.activation.weight",
        "block3.layer2.conv.weight",
        "block3.shortcut.conv.weight",
        "block3.activation.weight",
    ]
    assert order[-2:] == ["head.weight", "head.bias"]


class Backwards(nn.Module):
    """Built in the opposite order of its computation; reads a type early, and scales with a parameter of its own."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.unused = nn.Linear(2, 2)
        self.head = nn.Linear(2, 2)
        self.first = nn.Linear(2, 2, bias=False)

    def forward(self, inputs):
        inputs = self.first(inputs.to(self.head.weight.dtype))
        return self.head(torch.stack([inputs, self.scale.expand_as(inputs)]).sum(0))


def test_the_order_is_that_of_the_computation_and_not_of_the_construction():
    order = order_in(Backwards(), torch.zeros(2, 2))
    assert order == ["first.weight", "scale", "head.weight", "head.bias", "unused.weight", "unused.bias"]


@pytest.mark.parametrize("shared", ["first", "second"])
def test_a_weight_counts_where_it_is_used_first(shared):
    layer = nn.Linear(2, 2, bias=False)
    network = nn.Sequential(OrderedDict(first=layer, between=nn.PReLU(), second=layer))
    assert order_in(network, torch.zeros(2, 2)) == ["first.weight", "between.weight"]
