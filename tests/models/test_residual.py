"""Residual networks with other blocks: without shortcuts, SkipInit, Fixup."""

from functools import partial
from math import sqrt

import pytest
import torch
from torch import nn

from normscope.inits import default, initialise
from normscope.layers.batch_norm import batch_norm
from normscope.layers.weight_standardisation import WeightStandardisation
from normscope.models.fixup import Scale, Shift, fixup
from normscope.models.plain import plain
from normscope.models.resnet import resnet
from normscope.models.skip_init import skip_init

BATCH = partial(batch_norm, eps=1e-5, momentum=0.1, affine=True)
SKIP = partial(skip_init, initial=0.0)


def build(residual=None, depth=18, norm=None, classes=10, init=default, **slots):
    network = resnet(
        in_channels=3,
        classes=classes,
        image_size=32,
        depth=depth,
        width=0.125,
        stem="cifar",
        bias="auto",
        norm=norm,
        activation=nn.ReLU,
        residual=residual,
        **slots,
    )
    initialise(network, init, seed=0)
    return network


def images(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def weights(network):
    return dict(network.named_parameters())


def test_a_plain_block_is_its_branch():
    network = build(plain, depth=34, norm=BATCH)
    assert not [name for name, _ in network.named_modules() if "shortcut" in name]
    block, features = network.block2, images(4, 8, 6, 6)
    expected = block.layer2.norm(block.layer2.conv(block.layer1(features))).relu()
    torch.testing.assert_close(block(features), expected)
    assert network(images(2, 3, 32, 32)).shape == (2, 10)


def test_a_plain_network_has_the_weights_of_the_residual_one_less_the_projections():
    without, with_them = weights(build(plain, depth=34)), weights(build(depth=34))
    assert without.keys() == {name for name in with_them if "shortcut" not in name}
    assert all(torch.equal(weight, with_them[name]) for name, weight in without.items())


def test_what_skips_a_branch_needs_the_shortcut():
    with pytest.raises(ValueError, match=r"plain: .*stochastic depth.* model/residual=add"):
        build(plain, branch=lambda index, count: nn.Identity())


def test_with_skip_init_every_block_begins_as_its_shortcut():
    network = build(SKIP, depth=50)
    first, second = network.block1, network.block2
    features = images(2, 8, 6, 6)
    assert torch.equal(first(features), first.shortcut(features).relu())
    wide = images(2, 32, 6, 6)
    assert torch.equal(second(wide), wide.relu())


def test_skip_init_adds_one_number_a_block_which_multiplies_the_branch():
    own, usual = weights(build(SKIP)), weights(build())
    added = own.keys() - usual.keys()
    assert added == {f"block{number}.scale.weight" for number in range(1, 9)}
    assert all(own[name].shape == () and own[name].item() == 0 for name in added)
    network = build(SKIP)
    network.block1.scale.weight.data.fill_(0.5)
    block, features = network.block1, images(2, 8, 6, 6)
    torch.testing.assert_close(block(features), (0.5 * block.layer2(block.layer1(features)) + features).relu())


def test_skip_init_stands_beside_what_ends_a_branch():
    network = build(SKIP, branch=lambda index, count: nn.Dropout())
    assert network.block1.names == ["layer1", "layer2", "branch", "scale"]


def test_with_fixup_the_loss_begins_at_that_of_guessing():
    logits = build(fixup, depth=50)(images(4, 3, 32, 32))
    assert torch.equal(logits, torch.zeros(4, 10))


@pytest.mark.parametrize(("depth", "factor"), [(18, 8 ** (-1 / 2)), (50, 16 ** (-1 / 4))])
def test_fixup_scales_the_initial_weights_of_branches_by_their_number(depth, factor):
    """L^(−1/(2m−2)) of 8 branches of 2 layers, and of 16 branches of 3; their last layers and the classifier are 0."""
    own, usual = weights(build(fixup, depth=depth)), weights(build(depth=depth))
    last = f"layer{2 if depth == 18 else 3}"
    for name, weight in own.items():
        if not name.endswith("conv.weight") and not name.startswith("head"):
            continue
        zero = name.startswith("head") or last in name
        scale = 0.0 if zero else 1.0 if "stem" in name or "shortcut" in name else factor
        torch.testing.assert_close(weight, scale * usual[name], rtol=1e-6, atol=0)


def test_fixup_has_single_numbers_in_place_of_biases():
    network = build(fixup)
    numbers = {name: weight for name, weight in network.named_parameters() if weight.dim() == 0}
    starts = {name: weight.item() * 0.1**0.5 for name, weight in numbers.items()}
    assert starts == pytest.approx({name: float(name.endswith("scale.weight")) for name in numbers})
    block = [name.removeprefix("block1.") for name in numbers if name.startswith("block1.")]
    assert block == [
        "layer1.shift.bias",
        "layer1.bias.bias",
        "layer2.shift.bias",
        "layer2.scale.weight",
        "layer2.bias.bias",
    ]
    assert [name for name in numbers if not name.startswith("block")] == ["stem.bias.bias", "shift.bias"]
    assert not [name for name in weights(network) if name.endswith("conv.bias")]


def test_a_fixup_block_by_hand():
    block = build(fixup).block1
    for parameter in block.parameters():
        parameter.data.copy_(images(parameter.numel()).view_as(parameter) / 3)
    first, second, x = block.layer1, block.layer2, images(2, 8, 6, 6)
    slow = 0.1**0.5
    hidden = (first.conv(x + slow * first.shift.bias) + slow * first.bias.bias).relu()
    branch = second.conv(hidden + slow * second.shift.bias) * slow * second.scale.weight + slow * second.bias.bias
    torch.testing.assert_close(block(x), (branch + x).relu())


@pytest.mark.parametrize(("layer", "start", "gradient"), [(Shift(), 0.0, 6.0), (Scale(), 1.0, 9.0)])
def test_the_single_numbers_of_fixup_have_a_tenth_of_the_learning_rate(layer, start, gradient):
    """x = (−2, 1, 3), L = y_1 + 2 y_2 + 3 y_3: ∂L/∂b = 1 + 2 + 3, and ∂L/∂a = −2 + 2 + 9."""
    x, weights = torch.tensor([-2.0, 1.0, 3.0]), torch.tensor([1.0, 2.0, 3.0])
    number = layer.bias if isinstance(layer, Shift) else layer.weight
    (weights * layer(x)).sum().backward()
    moved = (number - 0.5 * number.grad) * 0.1**0.5
    assert moved.item() == pytest.approx(start - 0.1 * 0.5 * gradient)


def test_three_steps_of_fixup_move_every_weight():
    network = build(fixup, init=lambda layer, generator, gain: nn.init.normal_(layer.weight, 0, 0.2, generator))
    before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(images(4, 3, 32, 32)), torch.arange(4)).backward()
        optimizer.step()
    assert [name for name, weight in network.named_parameters() if torch.equal(weight, before[name])] == []


def test_fixup_trains_at_a_depth_and_a_rate_where_the_plain_sum_does_not():
    """He's init without a norm doubles the variance with each of 33 blocks; Fixup begins at ln 10 and goes down."""

    def he(layer, generator, gain):
        nn.init.normal_(layer.weight, 0, sqrt(2 / layer.weight[0].numel()), generator=generator)

    losses = {}
    for name, residual in (("fixup", fixup), ("none", None)):
        network = build(residual, depth=101, init=he)
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
        losses[name] = []
        for _ in range(4):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network(images(8, 3, 16, 16)), torch.arange(8))
            loss.backward()
            optimizer.step()
            losses[name].append(loss.item())
    assert losses["fixup"][0] == pytest.approx(2.302585)
    assert losses["fixup"][-1] < 2.3
    assert not losses["none"][-1] < 2.3


def test_fixup_takes_the_place_of_a_norm():
    with pytest.raises(ValueError, match=r"fixup: .* this network has one; take model/norm=none"):
        build(fixup, norm=BATCH)
    with pytest.raises(ValueError, match=r"fixup: .* this network has one; take model/norm=none"):
        build(fixup, norm=WeightStandardisation(eps=1e-5, norm=None))
