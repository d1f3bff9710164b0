from functools import partial

import pytest
import torch
from torch import nn

from normscope.layers.batch_norm import batch_norm
from normscope.layers.weight_layer import conv_layer, linear_layer, needs_bias

BATCH = partial(batch_norm, eps=1e-5, momentum=0.1, affine=True)


def conv(kernel_size=3, stride=1, bias="auto", norm=BATCH, activation=nn.ReLU):
    return conv_layer(2, 4, kernel_size=kernel_size, stride=stride, bias=bias, norm=norm, activation=activation)


def dense(bias="auto", norm=BATCH, dropout=None):
    return linear_layer(2, 4, linear=nn.Linear, bias=bias, norm=norm, activation=nn.ReLU, dropout=dropout)


def names(layer):
    return [name for name, _ in layer.named_children()]


def test_children_come_in_the_order_of_action():
    assert names(conv()) == ["conv", "norm", "activation"]
    assert names(dense(dropout=nn.Dropout)) == ["linear", "norm", "activation", "dropout"]


def test_empty_places_are_left_out():
    assert names(conv(norm=None, activation=None)) == ["conv"]
    assert names(dense(norm=None)) == ["linear", "activation"]


@pytest.mark.parametrize("kernel_size", [1, 3, 7])
def test_stride_1_keeps_the_image_and_stride_2_halves_it(kernel_size):
    images = torch.zeros(2, 2, 8, 8)
    assert conv(kernel_size).forward(images).shape == (2, 4, 8, 8)
    assert conv(kernel_size, stride=2).forward(images).shape == (2, 4, 4, 4)


def test_the_norm_is_told_whether_there_is_space():
    assert isinstance(conv().norm, nn.BatchNorm2d)
    assert isinstance(dense().norm, nn.BatchNorm1d)


@pytest.mark.parametrize("layer", [lambda **slots: conv(**slots).conv, lambda **slots: dense(**slots).linear])
def test_the_bias_goes_only_where_a_norm_with_a_shift_follows(layer):
    assert layer().bias is None
    assert layer(norm=None).bias is not None
    assert layer(norm=partial(batch_norm, eps=1e-5, momentum=0.1, affine=False)).bias is not None
    assert layer(bias="always").bias is not None


def test_a_bias_before_batch_norm_changes_nothing():
    layer = conv(bias="always").double()
    images = torch.randn(3, 2, 5, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    before = layer(images)
    layer.conv.bias.data.add_(5.0)
    torch.testing.assert_close(layer(images), before)


def test_an_unknown_bias_rule_is_refused():
    with pytest.raises(ValueError, match=r"bias \(never\) must be auto .* or always"):
        needs_bias(None, "never")
