from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from normscope.probes.units import units
from tests.probes.layers import bare_layer, layers_by_hand
from tests.recorded import quadratic, record_of, small_record
from tests.test_record import counted


def shares(record):
    return {name.removeprefix("units/"): float(value) for name, value in units(record).scalars.items()}


def test_dead_units_and_zeros_of_a_relu_by_hand():
    """Of three units on two images, the first and the last never fire, the second once."""
    found = shares(bare_layer(torch.tensor([[-1.0, 2.0, -3.0], [-2.0, -1.0, 0.0]])))
    assert found == {"layer1/dead": pytest.approx(2 / 3), "layer1/saturated": pytest.approx(5 / 6)}


def test_a_channel_that_fires_at_one_place_of_one_image_is_alive():
    values = -torch.ones(4, 2, 3, 3)
    values[2, 1, 0, 2] = 1
    found = shares(bare_layer(values))
    assert found == {"layer1/dead": 0.5, "layer1/saturated": pytest.approx(71 / 72)}


@pytest.mark.parametrize(
    ("activation", "inside", "outside"),
    [
        (nn.Sigmoid(), [-2.94, 0, 2.94], [-2.95, 2.95]),  # ln(0.95 / 0.05) = 2.944
        (nn.Tanh(), [-1.83, 0, 1.83], [-1.84, 1.84]),  # artanh 0.95 = 1.832
        (nn.Softsign(), [-18.9, 0, 18.9], [-19.1, 19.1]),  # 0.95 / (1 − 0.95) = 19
        (nn.ELU(), [-2.99, 0, 99], [-3.0, -9]),  # ln 0.05 = −2.996
        (nn.ELU(alpha=2), [-2.99, 0, 99], [-3.0, -9]),
        (nn.SELU(), [-2.99, 0, 99], [-3.0, -9]),
    ],
    ids=str,
)
def test_an_activation_is_saturated_beyond_its_bounds(activation, inside, outside):
    values = torch.tensor([*inside, *outside]).reshape(-1, 1)
    assert shares(bare_layer(values, activation)) == {"layer1/saturated": pytest.approx(len(outside) / len(values))}


@pytest.mark.parametrize("activation", [nn.LeakyReLU(), nn.PReLU(), nn.GELU(), nn.SiLU(), nn.Identity()], ids=str)
def test_activations_that_never_saturate_are_refused(activation):
    with pytest.raises(ValueError, match="no activation of this network has a flat side; leave the probe out, or"):
        units(bare_layer(torch.randn(4, 3), activation))


def test_in_a_mixed_network_only_layers_that_can_saturate_have_series():
    network = nn.Sequential(
        OrderedDict(
            layer1=nn.Sequential(OrderedDict(activation=nn.GELU())),
            layer2=nn.Sequential(OrderedDict(activation=nn.ReLU())),
        )
    )
    record = record_of(network, torch.ones(2, 3), torch.ones(2, 3), updated={})
    assert shares(record) == {"layer2/saturated": 0, "layer2/dead": 0}


def test_they_agree_with_numpy_in_every_layer():
    record = small_record()
    record.weights["layer2.norm.bias"][:3] = -9  # below what 64 values normalised by BatchNorm can reach
    found = shares(record)
    record.network.load_state_dict(record.weights, strict=False)
    for layer, values in layers_by_hand(record).items():
        assert found[f"{layer}/saturated"] == pytest.approx(np.mean(values <= 0), rel=1e-9)
        assert found[f"{layer}/dead"] == pytest.approx(np.mean(np.all(values <= 0, axis=1)), rel=1e-9)
    assert found["layer2/dead"] == 3 / 8


def saturated_in_five_layers(activation, seed):
    """Five layers of 100 units with weights from N(0, 1) and no biases, on 1,000 examples from N(0, 1)."""
    generator = torch.Generator().manual_seed(seed)
    network = nn.Sequential()
    for number in range(1, 6):
        linear = nn.Linear(100, 100, bias=False)
        with torch.no_grad():
            linear.weight.normal_(generator=generator)
        network.add_module(f"layer{number}", nn.Sequential(OrderedDict(linear=linear, activation=activation())))
    images = torch.randn(1000, 100, generator=generator)
    found = shares(record_of(network, images, images, updated={}))
    return [found[f"layer{number}/saturated"] for number in range(1, 6)]


@pytest.mark.parametrize(
    ("activation", "low", "high"), [(nn.Sigmoid, 0.66, 0.77), (nn.Tanh, 0.85, 0.85), (nn.ReLU, 0.5, 0.5)]
)
def test_weights_that_are_too_large_saturate_as_much_as_in_the_book(activation, low, high):
    """Saito, "Deep Learning from Scratch", section 6.2.2, computed in numpy over ten seeds: the layers' extremes.

    A layer's share varies by 0.03 from seed to seed, so that a mean of ten is good to 0.01.
    """
    found = np.mean([saturated_in_five_layers(activation, seed) for seed in range(10)], axis=0)
    assert found.min() == pytest.approx(low, abs=0.03)
    assert found.max() == pytest.approx(high, abs=0.03)


def test_it_costs_one_forward_pass(monkeypatch):
    record = small_record()
    passes = counted(monkeypatch)
    units(record)
    assert len(passes) == 1


def test_a_network_without_hidden_layers_is_refused():
    with pytest.raises(ValueError, match="no activation of this network has a flat side"):
        units(quadratic([1.0], [1.0], lr=0.1))
