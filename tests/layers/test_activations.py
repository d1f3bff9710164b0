"""The activations of configs/model/activation as their papers write them."""

from math import erf, sqrt

import pytest
import torch
from torch import nn

from normscope.composed import composed

X = torch.tensor([-20.0, -1.5, -0.3, 0.0, 0.2, 1.0, 3.0], dtype=torch.float64)
SCALE, ALPHA = 1.0507009873554804934, 1.6732632423543772848  # Klambauer et al. 2017
EQUATIONS = {
    "identity": lambda x: x,
    "sigmoid": lambda x: 1 / (1 + torch.exp(-x)),
    "tanh": lambda x: 1 - 2 / (torch.exp(2 * x) + 1),
    "softsign": lambda x: x / (1 + x.abs()),
    "relu": lambda x: x.clamp(min=0),
    "leaky_relu": lambda x: torch.maximum(0.01 * x, x),
    "prelu": lambda x: torch.maximum(0.25 * x, x),
    "elu": lambda x: torch.where(x > 0, x, torch.exp(x) - 1),
    "selu": lambda x: SCALE * torch.where(x > 0, x, ALPHA * (torch.exp(x) - 1)),
    "gelu": lambda x: x * torch.tensor([(1 + erf(value / sqrt(2))) / 2 for value in x], dtype=x.dtype),
    "silu": lambda x: x / (1 + torch.exp(-x)),
    "maxout": lambda x: torch.maximum(*x.chunk(2, dim=1)),
}


def chosen(name):
    from normscope.instantiation import made

    return made("model", composed([f"model/activation={name}"])[0]["model"]["activation"])().double()


@pytest.mark.parametrize("name", [name for name in EQUATIONS if name != "maxout"])
def test_a_choice_is_its_papers_equation(name):
    torch.testing.assert_close(chosen(name)(X), EQUATIONS[name](X), rtol=1e-7, atol=1e-12)


def test_every_choice_has_an_equation_here():
    from normscope.places import CONFIGS

    assert {path.stem for path in (CONFIGS / "model" / "activation").glob("*.yaml")} == set(EQUATIONS)


def test_maxout_chooses_between_its_pieces():
    pairs = torch.stack([X, -X], dim=1)
    torch.testing.assert_close(chosen("maxout")(pairs), EQUATIONS["maxout"](pairs))


def test_prelu_learns_the_slope_of_its_data():
    """Of |x| for x < 0 the slope is −1; gradient descent from 0.25 comes there."""
    activation = chosen("prelu")
    assert activation.weight.tolist() == [0.25]
    optimizer = torch.optim.SGD(activation.parameters(), lr=0.5)
    x = torch.linspace(-1, 1, 21, dtype=torch.float64)
    for _ in range(100):
        optimizer.zero_grad()
        (activation(x) - x.abs()).square().mean().backward()
        optimizer.step()
    assert activation.weight.item() == pytest.approx(-1, abs=1e-6)


def test_alpha_dropout_keeps_mean_0_and_variance_1():
    """Klambauer et al. 2017: as of SELU's own outputs; plain dropout adds p / (1 - p) to the variance."""
    rule = composed(["regularizer=[alpha_dropout]"])[0]["regularizer"]["alpha_dropout"]["architecture"]["dropout"]
    assert rule["p"] == 0.05
    torch.manual_seed(0)
    outputs = nn.SELU()(torch.randn(1_000_000))
    dropped = nn.AlphaDropout(0.3)(outputs)
    assert dropped.mean().abs() < 5e-3
    assert dropped.var().item() == pytest.approx(1, abs=1e-2)
    assert nn.Dropout(0.3)(outputs).var().item() == pytest.approx(1 / 0.7, abs=1e-2)
    assert torch.equal(nn.AlphaDropout(0.3).eval()(outputs), outputs)
