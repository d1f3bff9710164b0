from functools import partial

import pytest
import torch
from torch import nn

from normscope.layers.batch_norm import batch_norm
from normscope.models.mlp import mlp

BATCH = partial(batch_norm, eps=1e-5, momentum=0.1, affine=True)


def build(hidden_layers=3, hidden_units=100, width=1.0, bias="auto", norm=None, **slots):
    torch.manual_seed(0)
    return mlp(
        in_channels=1,
        classes=10,
        image_size=28,
        hidden_layers=hidden_layers,
        hidden_units=hidden_units,
        width=width,
        bias=bias,
        norm=norm,
        activation=nn.ReLU,
        **slots,
    )


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_number_of_parameters_by_hand():
    plain = (784 + 1) * 100 + 2 * (100 + 1) * 100 + (100 + 1) * 10
    assert parameters(build()) == plain
    assert parameters(build(norm=BATCH)) == plain + 3 * 100  # a scale and a shift for each bias
    assert parameters(build(norm=BATCH, bias="always")) == plain + 3 * 200


def test_the_logits_are_a_product_of_relus_and_weights():
    network = build(hidden_layers=1)
    images = torch.randn(2, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    first, head = network.layer1.linear, network.head
    hidden = (images.flatten(1) @ first.weight.T + first.bias).relu()
    torch.testing.assert_close(network(images), hidden @ head.weight.T + head.bias)


def test_the_order_of_memory_changes_nothing():
    images = torch.randn(2, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    network = build()
    torch.testing.assert_close(network(images.to(memory_format=torch.channels_last)), network(images))


def test_width_scales_the_hidden_units():
    network = build(width=0.25)
    assert [network.layer1.linear.out_features, network.head.in_features] == [25, 25]


def test_without_hidden_layers_it_is_softmax_regression():
    assert [name for name, _ in build(hidden_layers=0).named_children()] == ["flatten", "head"]


def test_dropout_comes_after_every_hidden_activation():
    where = [name for name, module in build(dropout=nn.Dropout).named_modules() if isinstance(module, nn.Dropout)]
    assert where == ["layer1.dropout", "layer2.dropout", "layer3.dropout"]


def test_every_fully_connected_layer_comes_from_the_slot():
    class Dense(nn.Linear):
        pass

    assert sum(isinstance(module, Dense) for module in build(linear=Dense).modules()) == 4


@pytest.mark.parametrize("change", [{"hidden_layers": -1}, {"hidden_units": 0}])
def test_values_out_of_range_are_refused(change):
    with pytest.raises(ValueError, match=r"hidden_layers \((-1|3)\) .* hidden_units \((0|100)\) at least 1"):
        build(**change)
