from collections import OrderedDict
from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import nn

from normscope.probes.covariate_shift import chosen_layers, covariate_shift
from normscope.record import StepRecord
from tests.recorded import cross_entropy, record_of, small_record
from tests.test_weight_layers import small_resnet


def shift(record, layers):
    return {name: float(value) for name, value in covariate_shift(record, layers=layers).scalars.items()}


def chain(*factors):
    """f(x) = ... w₂ w₁ x of one unit a layer."""
    network = nn.Sequential(OrderedDict((f"layer{i}", nn.Linear(1, 1, bias=False)) for i in range(1, len(factors) + 1)))
    with torch.no_grad():
        for layer, factor in zip(network, factors, strict=True):
            layer.weight.fill_(factor)
    return network.double()


def half_square(outputs, targets, weights):
    return 0.5 * (outputs - targets).square().mean()


def test_two_linear_units_by_hand():
    """L = ½ (v u x − y)²: ∂L/∂v = (v u x − y) u x. From u = 2 to u' = 1 at v = 3, x = 1, y = 5 it goes from 2 to −2,
    whatever becomes of v."""
    one = torch.ones(1, 1, dtype=torch.float64)
    updated = {"layer1.weight": one, "layer2.weight": 100 * one}
    record = record_of(chain(2.0, 3.0), one, 5 * one, objective=half_square, updated=updated)
    found = shift(record, ["layer1", "layer2"])
    assert found["covariate_shift/layer2/l2"] == pytest.approx(4)
    assert found["covariate_shift/layer2/cosine"] == pytest.approx(-1)
    assert found["covariate_shift/layer1/l2"] == 0
    assert found["covariate_shift/layer1/cosine"] == pytest.approx(1)


def naive(record, weight, earlier):
    """A second network whose earlier parameters are loaded from the update, and plain `backward`."""
    gradients = []
    for moved in (False, True):
        network = deepcopy(record.network)
        state = {name: record.updated[name] if moved and name in earlier else w for name, w in record.weights.items()}
        network.load_state_dict(state, strict=False)
        torch.set_rng_state(record.random_state)
        cross_entropy(network(record.images), record.targets, {}).backward()
        gradients.append(network.get_parameter(weight).grad.flatten())
    before, after = gradients
    return (before - after).norm(), nn.functional.cosine_similarity(before, after, dim=0, eps=0)


@pytest.mark.parametrize(
    ("layer", "weight", "earlier"),
    [("layer2", "layer2.conv.weight", ["layer1."]), ("head", "head.weight", ["layer1.", "layer2.", "layer3."])],
)
def test_it_is_the_gradient_of_a_network_with_the_earlier_layers_replaced(layer, weight, earlier):
    record = small_record(lr=0.5)
    moved = [name for name in record.weights if name.startswith(tuple(earlier))]
    found = shift(record, [layer])
    l2, cosine = naive(record, weight, moved)
    assert l2 > 1e-3
    assert found[f"covariate_shift/{layer}/l2"] == pytest.approx(float(l2), rel=1e-9)
    assert found[f"covariate_shift/{layer}/cosine"] == pytest.approx(float(cosine), rel=1e-9)


@pytest.mark.parametrize(
    ("layer", "later"),
    [
        ("block3.layer2", ("block3.layer2.", "block3.shortcut.", "block3.activation.")),
        ("block3.shortcut", ("block3.shortcut.", "block3.activation.")),
    ],
)
def test_in_a_residual_block_the_shortcut_comes_after_the_branch(layer, later):
    torch.manual_seed(0)
    network = small_resnet().double()
    record = record_of(network, torch.randn(6, 3, 8, 8, dtype=torch.float64), torch.eye(10).double()[:6])
    later = (*later, *(f"block{number}." for number in range(4, 9)), "head.")
    moved = [name for name in record.weights if not name.startswith(later)]
    found = shift(record, layer)[f"covariate_shift/{layer}/l2"]
    assert found == pytest.approx(float(naive(record, f"{layer}.conv.weight", moved)[0]), rel=1e-9)


def test_the_layers_own_update_and_that_of_later_ones_do_not_matter():
    record = small_record()
    own_and_later = {n: w + 1 for n, w in record.updated.items() if not n.startswith("layer1.")}
    changed = replace(record, updated={**record.updated, **own_and_later})
    assert shift(changed, "layer2") == shift(record, "layer2")


@pytest.mark.parametrize("name", ["conv.weight", "conv.bias", "norm.weight", "norm.bias"])
def test_everything_in_an_earlier_layer_moves(name):
    """By whatever the optimizer made of it; only a bias before a BatchNorm makes no difference."""
    record = small_record()
    still = replace(record, updated=dict(record.weights))
    moved = replace(record, updated={n: weight.clone() for n, weight in record.weights.items()})
    moved.updated[f"layer1.{name}"].view(-1)[0] += 1  # one entry: the next norm takes out a common factor
    assert shift(still, "layer2")["covariate_shift/layer2/l2"] == pytest.approx(0, abs=1e-12)
    found = shift(moved, "layer2")["covariate_shift/layer2/l2"]
    assert found == pytest.approx(0, abs=1e-12) if name == "conv.bias" else found > 1e-3


def test_the_depth_is_covered_evenly():
    """Of 13 hidden layers and an output, and of the three hidden layers of the default MLP."""
    vgg = [*(f"layer{number}" for number in range(1, 14)), "head"]
    assert chosen_layers(4, vgg) == ["layer3", "layer6", "layer9", "layer12"]
    assert chosen_layers(4, ["layer1", "layer2", "layer3", "head"]) == ["layer2", "layer3"]
    assert chosen_layers(99, vgg) == vgg[1:-1]
    assert chosen_layers("layer5", vgg) == ["layer5"]


def test_shortcuts_are_measured_only_if_they_are_named():
    order = ["stem", "block1.layer1", "block1.layer2", "block1.shortcut", "head"]
    assert chosen_layers(4, order) == ["block1.layer1", "block1.layer2"]
    assert chosen_layers(["block1.shortcut"], order) == ["block1.shortcut"]


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (["layer2", "layer9"], "no layer 'layer9'; this network has layer1, layer2, layer3, head"),
        ([], "names no layer; this network has layer1"),
        (None, "names no layer"),
        (0, r"layers \(0\) must be at least 1, of 2 hidden layers after the first that learns; or name some of"),
    ],
)
def test_layers_that_are_not_there_are_refused(layers, message):
    with pytest.raises(ValueError, match=message):
        covariate_shift(small_record(), layers=layers)


def test_a_layer_costs_one_pass_and_the_order_two_images(monkeypatch):
    record = small_record()
    record = replace(record, own=record.base)
    sizes = []
    evaluate = StepRecord.evaluate
    monkeypatch.setattr(
        StepRecord, "evaluate", lambda self, weights: sizes.append(len(self.images)) or evaluate(self, weights)
    )
    covariate_shift(record, layers=["layer1", "layer2", "layer3", "head"])  # nothing is before layer1
    assert sizes == [2, 16, 16, 16]
