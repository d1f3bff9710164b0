from functools import partial

import pytest
import torch
from torch import nn

from normscope.layers.batch_norm import batch_norm
from normscope.models.resnet import resnet

BATCH = partial(batch_norm, eps=1e-5, momentum=0.1, affine=True)


def build(depth=18, classes=10, width=1.0, stem="cifar", bias="auto", norm=BATCH, device="meta", **slots):
    torch.manual_seed(0)
    with torch.device(device):
        return resnet(
            in_channels=3,
            classes=classes,
            image_size=32,
            depth=depth,
            width=width,
            stem=stem,
            bias=bias,
            norm=norm,
            activation=nn.ReLU,
            **slots,
        )


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def blocks(network):
    return [child for name, child in network.named_children() if name.startswith("block")]


@pytest.mark.parametrize(("depth", "published"), [(18, 11689512), (34, 21797672), (50, 25557032), (101, 44549160)])
def test_the_imagenet_form_has_torchvisions_number_of_parameters(depth, published):
    assert parameters(build(depth, classes=1000, stem="imagenet")) == published


def test_resnet50_for_32x32_has_the_published_number_of_parameters():
    assert parameters(build(50)) == 23_520_842


@pytest.mark.parametrize(("depth", "layers"), [(18, 18), (34, 34), (50, 50), (101, 101)])
def test_the_depth_counts_the_weight_layers_without_projections(depth, layers):
    weighted = [name for name, module in build(depth).named_modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    assert sum("shortcut" not in name for name in weighted) == layers


def test_the_3x3_convolution_of_a_bottleneck_halves_the_image():
    strides = {
        number: [block.layer1.conv.stride[0], block.layer2.conv.stride[0], block.layer3.conv.stride[0]]
        for number, block in enumerate(blocks(build(50)), 1)
    }
    assert {number for number, found in strides.items() if found == [1, 2, 1]} == {4, 8, 14}
    assert {number for number, found in strides.items() if found == [1, 1, 1]} == set(range(1, 17)) - {4, 8, 14}


def test_the_shortcut_is_a_projection_only_where_the_shape_changes():
    projected = {
        depth: [number for number, block in enumerate(blocks(build(depth)), 1) if block.shortcut is not None]
        for depth in (18, 50)
    }
    assert projected == {18: [3, 5, 7], 50: [1, 4, 8, 14]}
    shortcut = build(50).block4.shortcut
    assert [shortcut.conv.kernel_size, shortcut.conv.stride] == [(1, 1), (2, 2)]
    assert isinstance(shortcut.norm, nn.BatchNorm2d)


def test_a_block_without_a_branch_is_its_activation():
    block = build(18, width=0.1, norm=None, device="cpu").block1
    for parameter in block.parameters():
        parameter.data.zero_()
    images = torch.randn(2, 6, 4, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(block(images), images.relu())


def test_a_bottleneck_adds_its_branch_to_its_shortcut():
    block = build(50, width=0.1, norm=None, device="cpu").block1
    images = torch.randn(2, 6, 4, 4, generator=torch.Generator().manual_seed(0))
    branch = block.layer3.conv(block.layer2.conv(block.layer1.conv(images).relu()).relu())
    torch.testing.assert_close(block(images), (branch + block.shortcut.conv(images)).relu())


@pytest.mark.parametrize(("stem", "image_size", "left"), [("cifar", 32, 4), ("cifar", 28, 4), ("imagenet", 224, 7)])
def test_the_stages_shrink_the_image_as_published(stem, image_size, left):
    network = build(18, stem=stem)
    features = torch.zeros(2, 3, image_size, image_size, device="meta")
    for name, child in network.named_children():
        if name == "average":
            break
        features = child(features)
    assert features.shape == (2, 512, left, left)


def test_width_scales_every_channel():
    network = build(50, width=0.25)
    assert [network.stem.conv.out_channels, network.block1.layer1.conv.out_channels] == [16, 16]
    assert [network.block1.layer3.conv.out_channels, network.head.in_features] == [64, 512]


def test_without_a_norm_every_layer_has_a_bias():
    weighted = [module for module in build(50, norm=None).modules() if isinstance(module, nn.Conv2d)]
    assert all(module.bias is not None for module in weighted)
    assert all(module.bias is None for module in build(50).modules() if isinstance(module, nn.Conv2d))


def test_the_end_of_every_branch_knows_its_place():
    places = []

    def branch(index, count):
        places.append((index, count))
        return nn.Identity()

    network = build(18, branch=branch)
    assert places == [(index, 8) for index in range(8)]
    assert [name for name, _ in network.block3.named_children()] == [
        "layer1",
        "layer2",
        "branch",
        "shortcut",
        "activation",
    ]


def test_what_ends_the_branch_leaves_the_shortcut_alone():
    class Silence(nn.Module):
        def forward(self, features):
            return 0 * features

    block = build(18, width=0.1, device="cpu", branch=lambda index, count: Silence()).block1
    images = torch.randn(2, 6, 4, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(block(images), images.relu())


def test_dropout_comes_before_the_head():
    assert [name for name, _ in build(18, dropout=nn.Dropout).named_children()][-3:] == ["average", "dropout", "head"]


def test_the_pool_of_the_imagenet_stem_can_be_replaced():
    stem = build(18, stem="imagenet", pool=partial(nn.FractionalMaxPool2d, output_ratio=0.5)).stem
    assert [name for name, _ in stem.named_children()] == ["conv", "norm", "activation", "pool"]
    assert isinstance(stem.pool, nn.FractionalMaxPool2d)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depth": 20}, r"depth \(20\) .* one of 18, 34, 50, 101"),
        ({"stem": "big"}, r"stem \(big\) .* cifar .* or imagenet"),
        ({"pool": nn.AvgPool2d}, r"stem \(cifar\) .* no pool .* model.stem=imagenet"),
        ({"width": -1}, r"width \(-1\) must be positive"),
        ({"bias": "no"}, r"bias \(no\) must be auto"),
    ],
)
def test_values_out_of_range_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        build(**change)
