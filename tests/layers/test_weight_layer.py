from functools import partial

import pytest
import torch
from torch import nn

from normscope.layers.batch_norm import batch_norm
from normscope.layers.maxout import Maxout
from normscope.layers.weight_layer import conv_layer, linear_layer, needs_bias

BATCH = partial(batch_norm, eps=1e-5, momentum=0.1, affine=True)


def conv(kernel_size=3, stride=1, bias="auto", norm=BATCH, activation=nn.ReLU, **position):
    norms = {"bias": bias, "norm": norm, **position}
    return conv_layer(2, 4, kernel_size=kernel_size, stride=stride, activation=activation, **norms)


def dense(bias="auto", norm=BATCH, dropout=None, **position):
    norms = {"bias": bias, "norm": norm, **position}
    return linear_layer(2, 4, linear=nn.Linear, activation=nn.ReLU, dropout=dropout, **norms)


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


@pytest.mark.parametrize("make", [conv, dense])
def test_the_norm_can_follow_the_activation_and_then_the_bias_stays(make):
    first = "conv" if make is conv else "linear"
    assert names(make(norm_position="after")) == [first, "activation", "norm"]
    assert getattr(make(norm_position="after"), first).bias is not None


def test_after_an_activation_the_norm_comes_before_dropout():
    assert names(dense(norm_position="after", dropout=nn.Dropout)) == ["linear", "activation", "norm", "dropout"]


def test_without_an_activation_the_norm_follows_the_convolution_wherever_it_is_asked_for():
    layer = conv(norm_position="after", activation=None)
    assert names(layer) == ["conv", "norm"]
    assert layer.conv.bias is None


def test_a_norm_after_maxout_has_as_many_channels_as_that_leaves():
    layer = conv(norm_position="after", activation=partial(Maxout, pieces=2))
    assert [layer.conv.out_channels, layer.norm.num_features] == [8, 4]
    assert layer(torch.zeros(2, 2, 5, 5)).shape == (2, 4, 5, 5)


def test_an_unknown_position_is_refused():
    with pytest.raises(ValueError, match=r"norm_position \(behind\) must be before or after"):
        conv(norm_position="behind")
