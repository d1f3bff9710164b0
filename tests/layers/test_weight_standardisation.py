from functools import partial

import pytest
import torch
from torch import nn

from normscope.layers.group_norm import group_norm
from normscope.layers.weight_layer import conv_layer, linear_layer
from normscope.layers.weight_standardisation import StandardisedConv2d, WeightStandardisation, standardised

GROUPS = partial(group_norm, groups=2, eps=1e-5, affine=True)


def layer(norm=GROUPS, eps=1e-10):
    made = WeightStandardisation(eps=eps, norm=norm)
    return conv_layer(3, 4, kernel_size=3, bias="auto", norm=made, activation=nn.ReLU)


def test_every_filter_has_mean_0_and_variance_1():
    weight = 5 + torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    filters = standardised(weight, 0.0).flatten(1)
    torch.testing.assert_close(filters.mean(1), torch.zeros(4, dtype=torch.float64))
    torch.testing.assert_close(filters.var(1, correction=0), torch.ones(4, dtype=torch.float64))


def test_the_output_does_not_see_the_length_and_the_mean_of_a_filter():
    made, images = layer().double(), torch.randn(2, 3, 5, 5, dtype=torch.float64)
    before = made(images)
    with torch.no_grad():
        made.conv.weight.mul_(7).add_(3)
    torch.testing.assert_close(made(images), before)


def test_the_gradient_is_at_right_angles_to_each_filter_and_to_the_ones():
    made, images = layer(norm=None).double(), torch.randn(2, 3, 5, 5, dtype=torch.float64)
    made(images).square().sum().backward()
    gradient, weight = made.conv.weight.grad.flatten(1), made.conv.weight.detach().flatten(1)
    assert (gradient.sum(1) / gradient.norm(dim=1)).abs().max() < 1e-10
    assert ((gradient * weight).sum(1) / gradient.norm(dim=1)).abs().max() < 1e-5  # ε


def test_the_convolution_keeps_its_name_its_weight_and_the_norm_of_its_output():
    made = layer()
    assert [name for name, _ in made.named_children()] == ["conv", "norm", "activation"]
    assert [name for name, _ in made.named_parameters()] == ["conv.weight", "norm.weight", "norm.bias"]
    assert isinstance(made.conv, StandardisedConv2d)
    assert isinstance(made.conv, nn.Conv2d)
    assert isinstance(made.norm, nn.GroupNorm)
    alone = layer(norm=None)
    assert [name for name, _ in alone.named_parameters()] == ["conv.weight", "conv.bias"]


def test_fully_connected_layers_have_no_filters():
    made = WeightStandardisation(eps=1e-5, norm=None)
    with pytest.raises(ValueError, match=r"filters of convolutions.* model=vgg11"):
        linear_layer(3, 4, linear=nn.Linear, bias="auto", norm=made, activation=nn.ReLU, dropout=None)


def test_an_eps_of_0_is_refused():
    with pytest.raises(ValueError, match=r"eps \(0\) must be positive"):
        WeightStandardisation(eps=0, norm=None)
