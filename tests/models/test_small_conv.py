from functools import partial

import pytest
import torch
from torch import nn

from normscope.layers.batch_norm import batch_norm
from normscope.models.small_conv import small_conv
from normscope.regularizers.fractional_max_pool import FractionalMaxPool


def build(image_size=32, in_channels=3, width=1.0, norm=None, norm_position="before", **slots):
    return small_conv(
        in_channels=in_channels,
        classes=10,
        image_size=image_size,
        width=width,
        bias="auto",
        norm=norm,
        norm_position=norm_position,
        activation=nn.ReLU,
        **slots,
    )


def test_the_number_of_parameters_by_hand():
    convolutions = (3 * 25 + 1) * 64 + 2 * (64 * 25 + 1) * 64
    assert sum(parameter.numel() for parameter in build().parameters()) == convolutions + (64 * 4 * 4 + 1) * 10


@pytest.mark.parametrize("image_size", [8, 28, 32, 65])
def test_images_of_8_and_more_become_logits(image_size):
    assert build(image_size, in_channels=1, width=0.1)(torch.zeros(2, 1, image_size, image_size)).shape == (2, 10)


def test_children_come_in_the_order_of_action():
    norm = partial(batch_norm, eps=1e-5, momentum=0.1, affine=True)
    network = build(norm=norm, norm_position="after", dropout=nn.Dropout)
    assert [name for name, _ in network.named_children()] == [
        *("layer1", "pool1", "layer2", "pool2", "layer3", "pool3"),
        *("flatten", "dropout", "head"),
    ]
    assert [name for name, _ in network.layer2.named_children()] == ["conv", "activation", "norm"]


def test_images_that_three_pools_would_use_up_are_refused():
    with pytest.raises(ValueError, match=r"image_size \(7\) .* at least 8 pixels.* model=mlp"):
        build(7)


def test_a_pool_may_shrink_by_any_factor():
    """32 -> 22 -> 15 -> 10 pixels, each ⌊0.7071 H⌋."""
    network = build(width=0.1, pool=partial(FractionalMaxPool, ratio=0.7071))
    assert network.head.in_features == 6 * 10 * 10
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
