from functools import partial

import pytest
import torch
from torch import nn

from normscope.layers.batch_norm import batch_norm
from normscope.models.vgg import vgg

BATCH = partial(batch_norm, eps=1e-5, momentum=0.1, affine=True)
TABLE_1 = {  # Simonyan & Zisserman 2015: channels of the 3x3 convolutions, M is a max pool
    11: "64 M 128 M 256 256 M 512 512 M 512 512 M",
    13: "64 64 M 128 128 M 256 256 M 512 512 M 512 512 M",
    16: "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M",
    19: "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512 512 512 512 M",
}


def build(depth=11, in_channels=3, image_size=32, width=1.0, head="linear", bias="auto", norm=None, **slots):
    with torch.device("meta"):
        return vgg(
            in_channels=in_channels,
            classes=10,
            image_size=image_size,
            depth=depth,
            width=width,
            head=head,
            bias=bias,
            norm=norm,
            activation=nn.ReLU,
            **slots,
        )


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def names(network):
    return [name for name, _ in network.named_children()]


@pytest.mark.parametrize("depth", TABLE_1)
def test_the_layers_are_those_of_table_1(depth):
    found = [
        str(child.conv.out_channels) if name.startswith("layer") else "M"
        for name, child in build(depth).named_children()
        if name.startswith(("layer", "pool"))
    ]
    assert " ".join(found) == TABLE_1[depth]


@pytest.mark.parametrize(("depth", "features"), [(11, 9220480), (13, 9404992), (16, 14714688), (19, 20024384)])
def test_the_convolutions_have_the_published_number_of_parameters(depth, features):
    # torchvision's vggNN less its classifier of 123,642,856 parameters
    assert parameters(build(depth)) == features + 512 * 10 + 10


def test_batch_norm_adds_scales_and_shifts_and_takes_the_biases():
    assert parameters(build(11, norm=BATCH, bias="always")) == 9_231_114
    assert parameters(build(11, norm=BATCH)) == 9_228_362  # less 2,752 biases


def test_the_mlp_head_counts_its_weight_layers_on():
    network = build(11, head="mlp", norm=BATCH, bias="always")
    assert names(network)[-4:] == ["average", "layer9", "layer10", "head"]
    assert [type(network.layer9.norm), network.layer9.linear.out_features] == [nn.BatchNorm1d, 512]
    assert parameters(network) == 9_231_114 + 2 * (512 * 512 + 512 + 2 * 512)


def test_width_scales_every_channel_but_input_and_classes():
    network = build(11, width=0.25, head="mlp")
    assert [network.layer1.conv.in_channels, network.layer1.conv.out_channels] == [3, 16]
    assert [network.layer8.conv.out_channels, network.layer10.linear.out_features] == [128, 128]
    assert [network.head.in_features, network.head.out_features] == [128, 10]


@pytest.mark.parametrize("image_size", [32, 33, 48, 64])
def test_images_of_32_and_more_become_logits(image_size):
    images = torch.zeros(2, 1, image_size, image_size, device="meta")
    assert build(11, in_channels=1, image_size=image_size)(images).shape == (2, 10)


def test_dropout_comes_before_the_linear_head():
    network = build(11, dropout=nn.Dropout)
    assert names(network)[-3:] == ["average", "dropout", "head"]
    assert sum(isinstance(module, nn.Dropout) for module in network.modules()) == 1


def test_dropout_comes_after_each_hidden_activation_of_the_mlp():
    network = build(11, head="mlp", dropout=nn.Dropout)
    where = [name for name, module in network.named_modules() if isinstance(module, nn.Dropout)]
    assert where == ["layer9.dropout", "layer10.dropout"]


def test_the_slots_for_pool_and_linear_are_used():
    class Dense(nn.Linear):
        pass

    network = build(11, head="mlp", pool=nn.AvgPool2d, linear=Dense)
    assert [type(child) for name, child in network.named_children() if name.startswith("pool")] == [nn.AvgPool2d] * 5
    assert [name for name, module in network.named_modules() if isinstance(module, Dense)] == [
        "layer9.linear",
        "layer10.linear",
        "head",
    ]


def test_fractional_pooling_fits_the_slot():
    network = build(11, width=0.1, pool=partial(nn.FractionalMaxPool2d, output_ratio=0.5))
    assert network(torch.zeros(2, 3, 32, 32, device="meta")).shape == (2, 10)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depth": 12}, r"depth \(12\) .* one of 11, 13, 16, 19"),
        ({"head": "big"}, r"head \(big\) .* linear or mlp"),
        ({"image_size": 28}, r"image_size \(28\) .* at least 32 pixels.* dataset.pad by 2 .* model=resnet18"),
        ({"width": 0}, r"width \(0\) must be positive"),
        ({"bias": "no"}, r"bias \(no\) must be auto"),
    ],
)
def test_values_out_of_range_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        build(**change)
