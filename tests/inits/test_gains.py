from functools import partial
from math import e, erf, pi, sqrt

import pytest
import torch
from torch import nn

from normscope.inits import activation_gain, he_normal, initialise
from normscope.layers.maxout import Maxout

ACTIVATIONS = [
    *(nn.Identity(), nn.ReLU(), nn.LeakyReLU(0.2), nn.PReLU(), nn.ELU(), nn.SELU(), nn.GELU(), nn.SiLU(), nn.Tanh()),
    *(nn.Softsign(), nn.Sigmoid()),
]


def below(x):
    """Share of N(0, 1) below x."""
    return (1 + erf(x / sqrt(2))) / 2


# E f(x)² by hand; ∫_{-∞}^0 exp(cx) φ(x) dx = exp(c²/2) Φ(−c) gives that of ELU
ELU = 0.5 + e**2 * below(-2) - 2 * sqrt(e) * below(-1) + 0.5
MEAN_SQUARES = [
    (nn.Identity(), 1.0),
    (nn.ReLU(), 1 / 2),
    (nn.LeakyReLU(0.01), (1 + 0.01**2) / 2),
    (nn.PReLU(), (1 + 0.25**2) / 2),
    (nn.ELU(), ELU),
    (nn.SELU(), 1.0),
    (nn.GELU(), 1 / 3 + 1 / (2 * pi * sqrt(3))),
    (Maxout(2), 1.0),  # the larger and the smaller of two have the same mean square, and both together 2
    (Maxout(3), 1 + sqrt(3) / (2 * pi)),
]


@pytest.mark.parametrize(("activation", "mean_square"), MEAN_SQUARES, ids=lambda value: str(value).split("(")[0])
def test_the_gain_makes_up_for_the_mean_square(activation, mean_square):
    assert activation_gain(activation) == pytest.approx(1 / sqrt(mean_square), rel=1e-8)


@pytest.mark.parametrize("activation", [nn.Tanh(), nn.Softsign(), nn.Sigmoid(), nn.SiLU()], ids=str)
def test_the_gain_is_that_of_a_million_draws_where_there_is_no_formula(activation):
    draws = torch.randn(1_000_000, generator=torch.Generator().manual_seed(0))
    assert activation_gain(activation) == pytest.approx(activation(draws).square().mean().rsqrt().item(), rel=5e-3)


@pytest.mark.parametrize(
    ("activation", "name", "slope"),
    [(nn.Identity(), "linear", None), (nn.ReLU(), "relu", None), (nn.LeakyReLU(0.2), "leaky_relu", 0.2)],
    ids=str,
)
def test_the_gain_is_torchs_where_torch_keeps_the_mean_square(activation, name, slope):
    assert activation_gain(activation) == pytest.approx(nn.init.calculate_gain(name, slope), rel=1e-8)


def test_the_gain_of_relu_draws_the_same_bits_as_the_root_of_2():
    def weight(gain, activation_gain):
        layer = nn.Linear(300, 300)
        he_normal(layer, torch.Generator().manual_seed(0), activation_gain, mode="fan_in", gain=gain)
        return layer.weight

    assert torch.equal(weight("auto", activation_gain(nn.ReLU())), weight(sqrt(2), 1.0))


class Layered(nn.Sequential):
    """Ten hidden layers, named as the models name theirs."""

    def __init__(self, activation, pieces=1):
        layers = [nn.Sequential() for _ in range(10)]
        for layer in layers:
            layer.add_module("linear", nn.Linear(512, 512 * pieces))
            layer.add_module("activation", activation)
        super().__init__(*layers)


@pytest.mark.parametrize("activation", [*ACTIVATIONS, Maxout(2), Maxout(4)], ids=lambda a: type(a).__name__)
def test_with_gain_auto_he_keeps_the_size_of_pre_activations_through_ten_layers(activation):
    network = Layered(activation, pieces=getattr(activation, "pieces", 1))
    initialise(network, partial(he_normal, mode="fan_in", gain="auto"), seed=0)
    sizes = []
    for layer in network:
        layer.linear.register_forward_hook(lambda module, inputs, output: sizes.append(output.square().mean().item()))
    with torch.no_grad():
        network(torch.randn(64, 512, generator=torch.Generator().manual_seed(1)) / activation_gain(activation))
    assert sizes[0] == pytest.approx(1, rel=0.1)
    assert 0.6 < sizes[-1] < 1.6  # each layer's own draw moves it by a few percent


def test_without_hidden_layers_the_gain_is_1():
    network = nn.Sequential(nn.Flatten(), nn.Linear(400, 400))
    initialise(network, partial(he_normal, mode="fan_in", gain="auto"), seed=0)
    assert network[1].weight.var().item() == pytest.approx(1 / 400, rel=0.03)  # 160,000 draws


def test_asking_for_the_gain_leaves_the_activation_as_it_is():
    activation = nn.PReLU()
    activation_gain(activation)
    assert activation.weight.dtype == torch.float32
    assert activation.weight.grad is None
