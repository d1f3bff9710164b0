from collections import OrderedDict
from dataclasses import replace

import pytest
import torch
from torch import nn

from normscope.inits import default, initialise
from normscope.models.mlp import mlp
from normscope.probes.weight_gradients import weight_gradients
from normscope.record import StepRecord
from tests.recorded import cross_entropy, record_of, small_record


def test_one_unit_by_hand():
    """L = ½ (w x − y)² with x = (1, 2), w = (1, 1), y = 0: ∂L/∂w = 3 x = (3, 6), of length 3 √5, deviation 1.5."""
    network = nn.Sequential(OrderedDict(layer1=nn.Linear(2, 1, bias=False)))
    nn.init.ones_(network.layer1.weight)
    record = record_of(
        network,
        torch.tensor([[1.0, 2.0]]),
        torch.zeros(1, 1),
        objective=lambda outputs, targets, weights: 0.5 * (outputs - targets).square().mean(),
    )
    found = weight_gradients(record, bins=3)
    assert found.scalars["gradient_norm/layer1"] == pytest.approx(3 * 5**0.5)
    assert found.scalars["weight_gradient_std/layer1"] == pytest.approx(1.5)
    histogram = found.histograms["gradients/layer1"]
    assert histogram.counts.tolist() == [1, 0, 1]
    assert histogram.edges.tolist() == [3, 4, 5, 6]


def test_plain_backward_finds_the_same():
    record = small_record()
    torch.set_rng_state(record.random_state)
    cross_entropy(record.network(record.images), record.targets, {}).backward()
    found = weight_gradients(record, bins=16).scalars
    for layer, weight in (("layer2", record.network.layer2.conv.weight), ("head", record.network.head.weight)):
        gradient = weight.grad.numpy()
        assert found[f"weight_gradient_std/{layer}"] == pytest.approx(gradient.std(), rel=1e-9)
        assert found[f"gradient_norm/{layer}"] == pytest.approx((gradient**2).sum() ** 0.5, rel=1e-9)


def test_at_the_usual_initialisation_all_layers_have_gradients_of_one_size():
    """Glorot & Bengio 2010, figure 8: although what comes back from above shrinks from layer to layer."""
    network = mlp(
        in_channels=2,
        classes=10,
        image_size=10,
        hidden_layers=5,
        hidden_units=200,
        width=1,
        bias="auto",
        norm=None,
        activation=nn.Tanh,
    )
    initialise(network, default, seed=0)
    generator = torch.Generator().manual_seed(0)
    targets = torch.eye(10)[torch.randint(10, (512,), generator=generator)]
    record = record_of(network, torch.randn(512, 2, 10, 10, generator=generator), targets)
    found = weight_gradients(record, bins=16).scalars
    sizes = [float(found[f"weight_gradient_std/layer{number}"]) for number in range(2, 6)]
    assert max(sizes) / min(sizes) < 1.2


def test_the_steps_own_gradient_is_read_and_no_pass_made(monkeypatch):
    record = small_record()
    record = replace(record, own=record.base)
    monkeypatch.setattr(StepRecord, "evaluate", None)
    assert weight_gradients(record, bins=2).scalars


def test_one_bin_is_refused():
    with pytest.raises(ValueError, match=r"probe.weight_gradients: bins \(1\) must be at least 2"):
        weight_gradients(small_record(), bins=1)
