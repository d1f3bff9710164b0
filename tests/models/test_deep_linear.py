import pytest
import torch
from torch import nn

from normscope.layers.batch_norm import batch_norm
from normscope.models.deep_linear import deep_linear


def build(in_channels=10, image_size=1, classes=10, layers=25, units=10, width=1.0, norm=None):
    torch.manual_seed(0)
    return deep_linear(
        in_channels=in_channels,
        classes=classes,
        image_size=image_size,
        layers=layers,
        units=units,
        width=width,
        norm=norm,
    )


def test_it_is_the_product_of_25_matrices_of_10x10():
    network = build()
    shapes = [tuple(weight.shape) for weight in network.parameters()]
    assert shapes == [(10, 10)] * 25
    inputs = torch.randn(4, 10, 1, 1, generator=torch.Generator().manual_seed(0))
    product = torch.eye(10, dtype=torch.float64)
    for weight in network.parameters():
        product = weight.double() @ product
    torch.testing.assert_close(network.double()(inputs.double()), inputs.flatten(1).double() @ product.T)


def test_features_are_taken_as_they_are():
    assert build()(torch.zeros(3, 10)).shape == (3, 10)


def test_a_norm_follows_every_matrix_and_there_are_no_biases():
    network = build(norm=lambda channels, spatial: batch_norm(channels, spatial, eps=1e-5, momentum=0.1, affine=False))
    assert sum(isinstance(module, nn.BatchNorm1d) for module in network.modules()) == 25
    assert all(module.bias is None for module in network.modules() if isinstance(module, nn.Linear))


def test_images_are_flattened_and_width_scales_the_units():
    network = build(in_channels=3, image_size=8, classes=7, layers=3, units=10, width=0.5)
    assert [tuple(weight.shape) for weight in network.parameters()] == [(5, 192), (5, 5), (7, 5)]
    assert network(torch.zeros(2, 3, 8, 8)).shape == (2, 7)


@pytest.mark.parametrize("change", [{"layers": 0}, {"units": 0}])
def test_values_out_of_range_are_refused(change):
    with pytest.raises(ValueError, match=r"layers \((0|25)\) and units \((0|10)\) .* at least 1"):
        build(**change)
