import pytest
import torch
from torch import nn

from normscope.regularizers.weight_decay import weight_decay


def trained(decay, optimizer, steps=5):
    """Weights of a small linear net after some steps; decay acts before the optimizer, as in the training step."""
    torch.manual_seed(0)
    network = nn.Linear(4, 3).double()
    images, labels = torch.randn(16, 4).double(), torch.arange(16) % 3
    optimizer = optimizer(network.parameters())
    weights = dict(network.named_parameters())
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(images), labels).backward()
        decay(weights, optimizer.param_groups[0]["lr"])
        optimizer.step()
    return torch.cat([weight.detach().flatten() for weight in weights.values()])


def ours(weights, lr):
    weight_decay(weights, lr, strength=0.3, biases_and_norms=True)


def nothing(weights, lr):
    pass


def test_without_momentum_it_equals_sgds_weight_decay():
    expected = trained(nothing, lambda weights: torch.optim.SGD(weights, 0.1, weight_decay=0.3))
    torch.testing.assert_close(trained(ours, lambda weights: torch.optim.SGD(weights, 0.1)), expected)


def test_before_adam_it_equals_adamw():
    expected = trained(nothing, lambda weights: torch.optim.AdamW(weights, 0.1, weight_decay=0.3))
    torch.testing.assert_close(trained(ours, lambda weights: torch.optim.Adam(weights, 0.1)), expected)


def test_biases_are_left_alone_when_asked():
    weights = dict(nn.Linear(2, 2).named_parameters())
    bias = weights["bias"].detach().clone()
    weight_decay(weights, 1.0, strength=1.0, biases_and_norms=False)
    assert torch.equal(weights["bias"], bias)
    assert weights["weight"].abs().sum() == 0


def test_a_negative_strength_is_refused():
    with pytest.raises(ValueError, match=r"strength \(-1\)"):
        weight_decay({}, 0.1, strength=-1, biases_and_norms=True)


def test_a_learning_rate_on_the_device_does_the_same():
    weights = {"w": torch.full((2, 2), 3.0)}
    weight_decay(weights, torch.tensor(0.5), strength=0.2, biases_and_norms=True)
    torch.testing.assert_close(weights["w"], torch.full((2, 2), 2.7))
