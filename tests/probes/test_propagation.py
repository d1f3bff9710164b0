from collections import OrderedDict
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn

from normscope.inits import glorot_uniform, he_uniform, initialise
from normscope.models.mlp import mlp
from normscope.probes.propagation import READS, propagation
from normscope.record import StepRecord
from tests.recorded import cross_entropy, record_of, small_record


def test_one_rectifier_by_hand():
    """s = (−1, 3) over two images, z = (0, 3); L = ½ mean z² has ∂L/∂s = (0, 3/2)."""
    network = nn.Sequential(
        OrderedDict(layer1=nn.Sequential(OrderedDict(linear=nn.Linear(1, 1, bias=False), activation=nn.ReLU())))
    )
    nn.init.ones_(network.layer1.linear.weight)
    record = record_of(
        network,
        torch.tensor([[-1.0], [3.0]]),
        torch.zeros(2, 1),
        objective=lambda outputs, targets, weights: 0.5 * outputs.square().mean(),
    )
    found = propagation(record, bins=2, images=2)
    assert {name: float(value) for name, value in found.scalars.items()} == {
        "activation_mean/layer1": 1.5,
        "activation_std/layer1": 1.5,
        "backpropagated_gradient_mean/layer1": 0.75,
        "backpropagated_gradient_std/layer1": 0.75,
    }
    assert found.histograms["backpropagated_gradients/layer1"].counts.tolist() == [1, 1]


def test_plain_hooks_find_the_same():
    record = small_record()
    pre_activations, activations = {}, {}
    for layer in ("layer1", "layer2", "layer3"):
        module = record.network.get_submodule(f"{layer}.activation")
        module.register_forward_pre_hook(lambda m, inputs, layer=layer: pre_activations.update({layer: inputs[0]}))
        module.register_forward_hook(lambda m, inputs, output, layer=layer: activations.update({layer: output}))
    torch.set_rng_state(record.random_state)
    loss = cross_entropy(record.network(record.images), record.targets, {})
    for tensor in pre_activations.values():
        tensor.retain_grad()
    loss.backward()
    expected = {"activation": activations, "backpropagated_gradient": {n: s.grad for n, s in pre_activations.items()}}

    found = propagation(record, bins=16, images=3)
    for name, tensors in expected.items():
        for layer, tensor in tensors.items():
            numbers = tensor.detach().numpy()
            assert found.scalars[f"{name}_mean/{layer}"] == pytest.approx(numbers.mean(), rel=1e-9, abs=1e-18)
            assert found.scalars[f"{name}_std/{layer}"] == pytest.approx(numbers.std(), rel=1e-9)
    counted = found.histograms["backpropagated_gradients/layer1"]
    assert counted.counts.sum() == 3 * 6 * 4 * 4


USUAL = partial(he_uniform, mode="fan_in", gain=3**-0.5)  # U(−1/√n, 1/√n), as before 2010, biases 0
NORMALISED = partial(glorot_uniform, gain=1.0)


def by_layer(init, name):
    """The deviations over a 5 x 200 tanh network on Gaussian inputs, layers 1 to 5, at initialisation."""
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
    initialise(network, init, seed=0)
    generator = torch.Generator().manual_seed(0)
    targets = torch.eye(10)[torch.randint(10, (512,), generator=generator)]
    record = record_of(network, torch.randn(512, 2, 10, 10, generator=generator), targets)
    found = propagation(record, bins=16, images=32).scalars
    return [float(found[f"{name}_std/layer{number}"]) for number in range(1, 6)]


def test_glorots_initialisation_keeps_the_signal_where_the_usual_one_loses_it():
    """Glorot & Bengio 2010, figure 6; the numbers are those of a 5 x 1000 network, computed independently in numpy."""
    usual = by_layer(USUAL, "activation")
    assert usual == pytest.approx([0.46, 0.25, 0.14, 0.081, 0.047], rel=0.1)
    normalised = by_layer(NORMALISED, "activation")
    assert normalised == pytest.approx([0.63, 0.49, 0.41, 0.36, 0.32], rel=0.1)


def test_the_gradient_shrinks_on_its_way_down_and_less_so_with_glorots_initialisation():
    """Figure 7; layer 1 over layer 5."""
    usual = by_layer(USUAL, "backpropagated_gradient")
    assert usual[0] / usual[4] == pytest.approx(0.082, rel=0.2)
    normalised = by_layer(NORMALISED, "backpropagated_gradient")
    assert normalised[0] / normalised[4] == pytest.approx(0.40, rel=0.2)


def test_everything_comes_out_of_one_pass(monkeypatch):
    record = small_record(reads=frozenset(READS))
    record = replace(record, own=record.gradient_at(record.weights))
    passes = []
    evaluate = StepRecord.evaluate
    monkeypatch.setattr(StepRecord, "evaluate", lambda self, weights: passes.append(1) or evaluate(self, weights))
    propagation(record, bins=2, images=1)
    assert len(passes) == 1


@pytest.mark.parametrize(("bins", "images"), [(1, 4), (8, 0)])
def test_counts_that_show_nothing_are_refused(bins, images):
    with pytest.raises(ValueError, match=rf"bins \({bins}\) must be at least 2 and images \({images}\) at least 1"):
        propagation(small_record(), bins=bins, images=images)
