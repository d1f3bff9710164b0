"""Modules that are random in training and plain in evaluation."""

import pytest
import torch
from torch import nn

from normscope.models.resnet import resnet
from normscope.regularizers.drop_connect import DropConnect
from normscope.regularizers.fractional_max_pool import FractionalMaxPool
from normscope.regularizers.stochastic_depth import StochasticDepth, survival_rate


def mean_of(module, inputs, draws):
    torch.manual_seed(0)
    with torch.no_grad():
        return torch.stack([module(inputs) for _ in range(draws)]).mean(0)


def test_inverted_dropout_keeps_the_mean():
    layer, inputs = nn.Dropout(0.5), torch.linspace(-1, 1, 7)
    torch.testing.assert_close(mean_of(layer, inputs, 20_000), inputs, rtol=0, atol=0.03)  # four standard errors
    assert torch.equal(layer.eval()(inputs), inputs)


def test_drop_connects_expectation_is_the_plain_layer():
    torch.manual_seed(1)
    layer, inputs = DropConnect(4, 3, bias=True, p=0.5), torch.randn(2, 4)
    plain = nn.functional.linear(inputs, layer.weight, layer.bias).detach()
    torch.testing.assert_close(mean_of(layer, inputs, 20_000), plain, rtol=0, atol=0.03)
    assert torch.equal(layer.eval()(inputs), plain)


def test_drop_connect_drops_weights_not_units():
    """For x = e_j the outputs are column j of M ∘ W: each of its entries is 0 or twice the weight, on its own."""
    torch.manual_seed(0)
    layer = DropConnect(3, 200, bias=False, p=0.5)
    with torch.no_grad():
        columns = layer(torch.eye(3)).T  # (200, 3)
    kept = columns != 0
    torch.testing.assert_close(columns[kept], 2 * layer.weight.detach()[kept])
    assert len({tuple(row) for row in kept.tolist()}) == 8  # every pattern of three connections occurs
    assert kept.float().mean().item() == pytest.approx(0.5, abs=0.08)


def test_drop_connect_drops_biases_like_weights():
    torch.manual_seed(0)
    layer = DropConnect(1, 400, bias=True, p=0.25)
    outputs = layer(torch.zeros(1, 1))[0].detach()
    kept = outputs != 0
    torch.testing.assert_close(outputs[kept], layer.bias.detach()[kept] / 0.75)
    assert kept.float().mean().item() == pytest.approx(0.75, abs=0.09)  # four standard errors


def test_survival_falls_linearly_to_that_of_the_last_branch():
    assert [survival_rate(index, 4, 0.5) for index in range(4)] == [0.875, 0.75, 0.625, 0.5]
    assert survival_rate(53, 54, 0.5) == 0.5


@pytest.mark.parametrize(("index", "rate"), [(0, 0.8), (1, 0.6)])
def test_branches_survive_at_their_rates(index, rate):
    torch.manual_seed(0)
    layer, inputs = StochasticDepth(index, 2, last=0.6), torch.ones(3, 2)
    outcomes = [layer(inputs) for _ in range(3000)]
    assert all(torch.equal(outcome, inputs) or not outcome.any() for outcome in outcomes)  # the whole batch at once
    assert sum(bool(outcome.any()) for outcome in outcomes) / 3000 == pytest.approx(rate, abs=0.04)
    torch.testing.assert_close(layer.eval()(inputs), rate * inputs)


def test_a_resnet_gives_each_block_its_rate():
    def branch(index, number):
        return StochasticDepth(index, number, last=0.2)

    network = resnet(
        in_channels=3, classes=10, image_size=32, depth=18, width=0.0625, stem="cifar", bias="auto", norm=None,
        activation=nn.ReLU, branch=branch,
    )  # fmt: skip
    rates = [module.survival for module in network.modules() if isinstance(module, StochasticDepth)]
    assert rates == pytest.approx([1 - 0.1 * block for block in range(1, 9)])
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(network.eval()(images), network(images))


def test_fractional_pooling_takes_maxima_of_neighbouring_pixels():
    torch.manual_seed(0)
    layer, images = FractionalMaxPool(2, ratio=0.7071), torch.rand(2, 3, 32, 32)
    pooled = layer(images)
    assert pooled.shape == (2, 3, 22, 22)
    windows = nn.functional.max_pool2d(images, 2, stride=1).flatten(2)
    assert all(torch.isin(pooled[n, c], windows[n, c]).all() for n in range(2) for c in range(3))
    assert not torch.equal(layer(images), pooled)
    assert torch.equal(layer.eval()(images), layer(images))


def test_fractional_pooling_sends_gradients_where_pytorchs_own_does_and_can_be_differentiated_twice():
    images = torch.rand(2, 3, 9, 9, dtype=torch.float64, requires_grad=True)
    places = images.new_full((2, 3, 2), 0.5)
    own = nn.functional.fractional_max_pool2d(images, 2, (6, 6), _random_samples=places)
    ours = FractionalMaxPool(2, ratio=0.7).eval()
    assert torch.equal(ours(images), own)
    factors = torch.rand_like(own)
    expected, found = (torch.autograd.grad((factors * pooled).sum(), images)[0] for pooled in (own, ours(images)))
    torch.testing.assert_close(found, expected)
    assert torch.autograd.gradgradcheck(lambda x: ours(x).square(), images)


def test_in_evaluation_the_regions_are_those_of_the_docstring():
    image = torch.arange(10.0).expand(1, 1, 10, 10)  # the maximum of a region is its last column
    pooled = FractionalMaxPool(2, ratio=0.7).eval()(image)[0, 0, 0]
    alpha = (10 - 2) / (7 - 1)
    assert pooled.tolist() == [int(alpha * (i + 0.5)) - int(alpha * 0.5) + 1 for i in range(7)]


def test_fractional_pooling_draws_the_same_regions_in_every_precision():
    layer, images = FractionalMaxPool(2, ratio=0.7071), torch.randint(0, 99, (8, 8, 32, 32)).float()
    found = []
    for dtype in (torch.float32, torch.float64, torch.bfloat16):  # which holds whole numbers up to 256
        torch.manual_seed(0)
        found.append(layer(images.to(dtype)).float())
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: DropConnect(2, 2, bias=True, p=1.0), r"p \(1.0\)"),
        (lambda: StochasticDepth(0, 2, last=0.0), r"last \(0.0\)"),
        (lambda: FractionalMaxPool(2, ratio=1.0), r"ratio \(1.0\)"),
        (lambda: FractionalMaxPool(2, ratio=0.7)(torch.ones(1, 1, 1, 1)), "1x1"),
    ],
)
def test_values_out_of_range_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
