from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from normscope.layers.maxout import Maxout, maxout
from normscope.layers.weight_layer import conv_layer, linear_layer
from normscope.models.resnet import resnet
from normscope.models.vgg import vgg

TWO = partial(Maxout, pieces=2)


def dense(activation, norm=None):
    return linear_layer(3, 4, linear=nn.Linear, bias="auto", norm=norm, activation=activation, dropout=None)


def test_it_takes_the_largest_piece_of_each_channel():
    inputs = torch.tensor([[1.0, -5.0, 3.0, -2.0, 2.0, -7.0]])  # three pieces of two channels
    assert maxout(inputs, 3).tolist() == [[3.0, -2.0]]


def test_a_layer_is_the_larger_of_two_linear_layers():
    layer, x = dense(TWO), torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    weight, bias = layer.linear.weight, layer.linear.bias
    expected = torch.maximum(F.linear(x, weight[:4], bias[:4]), F.linear(x, weight[4:], bias[4:]))
    torch.testing.assert_close(layer(x), expected)


def test_a_convolution_is_the_larger_of_two_convolutions_in_both_memory_formats():
    layer = conv_layer(2, 4, kernel_size=3, bias="auto", norm=None, activation=TWO)
    images = torch.randn(2, 2, 6, 6, generator=torch.Generator().manual_seed(0))
    first, second = (
        F.conv2d(images, layer.conv.weight[s], layer.conv.bias[s], padding=1) for s in (slice(0, 4), slice(4, 8))
    )
    torch.testing.assert_close(layer(images), torch.maximum(first, second))
    last = layer(images.to(memory_format=torch.channels_last))
    torch.testing.assert_close(last, layer(images))
    assert last.is_contiguous(memory_format=torch.channels_last)


def test_two_pieces_of_opposite_weights_are_the_absolute_value():
    layer = dense(TWO)
    layer.linear.weight.data[4:] = -layer.linear.weight.data[:4]
    layer.linear.bias.data.zero_()
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(layer(x), F.linear(x, layer.linear.weight[:4]).abs())


def test_the_gradient_goes_to_the_piece_that_won():
    inputs = torch.tensor([[1.0, -5.0, 3.0, -7.0]], requires_grad=True)
    maxout(inputs, 2).sum().backward()
    assert inputs.grad.tolist() == [[0.0, 1.0, 1.0, 0.0]]


@pytest.mark.parametrize("pieces", [2, 3])
def test_the_layer_before_has_as_many_times_the_parameters(pieces):
    def count(module):
        return sum(parameter.numel() for parameter in module.parameters())

    assert count(dense(partial(Maxout, pieces=pieces))) == pieces * count(dense(nn.ReLU)) == pieces * 16
    conv = partial(conv_layer, 2, 4, kernel_size=3, bias="auto", norm=None)
    assert count(conv(activation=partial(Maxout, pieces=pieces))) == pieces * count(conv(activation=nn.ReLU))


def test_a_network_of_maxout_has_twice_the_parameters_but_in_its_head():
    def built(activation):
        shape = {"in_channels": 3, "classes": 10, "image_size": 32, "depth": 11, "width": 0.125}
        return vgg(**shape, head="linear", bias="auto", norm=None, activation=activation)

    def count(network):
        return sum(p.numel() for name, p in network.named_parameters() if not name.startswith("head"))

    assert count(built(TWO)) == 2 * count(built(nn.ReLU))
    assert built(TWO)(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_a_norm_before_it_normalises_all_pieces():
    layer = dense(TWO, norm=lambda channels, spatial: nn.BatchNorm1d(channels))
    assert layer.norm.num_features == 8
    assert layer(torch.randn(5, 3)).shape == (5, 4)


def test_a_norm_after_it_normalises_what_is_left():
    layer = linear_layer(
        3,
        4,
        linear=nn.Linear,
        bias="auto",
        norm=lambda channels, spatial: nn.BatchNorm1d(channels),
        norm_position="after",
        activation=TWO,
        dropout=None,
    )
    assert layer.norm.num_features == 4
    assert layer(torch.randn(5, 3)).shape == (5, 4)


def test_one_piece_is_refused():
    with pytest.raises(ValueError, match=r"pieces \(1\) of maxout must be at least 2"):
        Maxout(1)


def test_a_residual_sum_has_no_pieces_to_choose_from():
    shape = {"in_channels": 3, "classes": 10, "image_size": 32, "depth": 18, "width": 0.1}
    with pytest.raises(ValueError, match=r"activation \(Maxout\(pieces=2\)\) makes one channel of several.*a VGG"):
        resnet(**shape, stem="cifar", bias="auto", norm=None, activation=TWO)
