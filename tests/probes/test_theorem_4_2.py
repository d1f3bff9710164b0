import copy
import math

import pytest
import torch
from torch import nn

from normscope.layer_values import kept
from normscope.probes.theorem_4_2 import theorem_4_2
from tests.probes.test_reduction import one_unit
from tests.recorded import cross_entropy, record_of, small_network, small_record
from tests.test_record import counted


def measured(record, units=100):
    return {name: float(value) for name, value in theorem_4_2(record, layers=100, units=units).scalars.items()}


def half_squared(target):
    """L = ½|z − t|², whose Hessian in z is 1."""
    return lambda logits, targets, weights: 0.5 * (logits - target).square().sum()


def test_of_one_unit_every_number_is_known():
    """γ = 2, σ = 3, z = (−2, −2, 2, 2), and t so that gz = (1, 0, 0, 0): |gy|² = (4/9)/2 = 2/9, ⟨gz,ŷ⟩ = −1.

    Left side (4/9) (2/9) + (2/36) (2/9) = 9/81. The second form has 4/9 + 1/81 = 37/81 on its right, rescaled
    (4/9)² + 1/81 = 17/81.
    """
    start = one_unit()
    target = torch.tensor([[-3.0], [-2.0], [2.0], [2.0]], dtype=torch.float64)
    found = measured(record_of(start.network, start.images, start.targets, objective=half_squared(target)))
    assert found["theorems/layer1/gap_4_2"] < 1e-12
    assert found["theorems/layer1/gap_4_2_without_eps"] < 1e-10
    assert found["theorems/layer1/second_form_violated"] == 0
    assert found["theorems/layer1/second_form_rescaled_violated"] == 0
    assert found["theorems/layer1/output_curvature_negative"] == 0


def test_a_loss_that_curves_downwards_is_seen():
    start = one_unit()
    target = torch.tensor([[-3.0], [-2.0], [2.0], [2.0]], dtype=torch.float64)

    def objective(logits, targets, weights):
        return -half_squared(target)(logits, targets, weights)

    found = measured(record_of(start.network, start.images, start.targets, objective=objective))
    assert found["theorems/layer1/output_curvature_negative"] == 1


def test_the_published_form_misses_what_eps_adds():
    """γ = 1, ε = 1 and y = ±3: σ² = 10, |ŷ|²/m = 0.9, and no form but ours fits."""
    start = one_unit(eps=1.0)
    target = torch.tensor([[-3.0], [-2.0], [2.0], [2.0]], dtype=torch.float64)
    found = measured(record_of(start.network, start.images, start.targets, objective=half_squared(target)))
    assert found["theorems/layer1/gap_4_2"] < 1e-12
    assert found["theorems/layer1/gap_4_2_without_eps"] > 0.01


def full_hessians(record, layer, side):
    """Gradient and full Hessian of L in all values of each unit, at the norm's inputs or outputs; plain autograd."""
    network = copy.deepcopy(record.network)
    norm = getattr(network, layer).norm
    with kept(network, ("norm_inputs", "norm_outputs")) as values:
        torch.set_rng_state(record.random_state)
        network(record.images)
    start = values[f"norm_{side}"][layer].detach()

    for unit in range(start.shape[1]):

        def loss(own, unit=unit):
            there = start.clone()
            there[:, unit] = own

            def replaced(*_):
                return there

            register = norm.register_forward_pre_hook if side == "inputs" else norm.register_forward_hook
            with register(replaced):
                torch.set_rng_state(record.random_state)
                return cross_entropy(network(record.images), record.targets, {})

        own = start[:, unit].clone()
        size = own.numel()
        gradient = torch.autograd.functional.jacobian(loss, own).reshape(size)
        yield gradient, torch.autograd.functional.hessian(loss, own).reshape(size, size)


@pytest.mark.parametrize("layer", ["layer2", "layer3"])
def test_it_agrees_with_full_hessians_of_plain_autograd(layer):
    record = small_record()
    getattr(record.network, layer).norm.eps = 0.1  # so that the published form is visibly off
    found = measured(record)
    gaps, violated, rescaled, negative = [], [], [], []
    inputs = record.layer_values("norm_inputs")[layer]
    pairs = zip(full_hessians(record, layer, "inputs"), full_hessians(record, layer, "outputs"), strict=True)
    for unit, ((gy, hessian_y), (gz, hessian_z)) in enumerate(pairs):
        if not gz.any():  # no gradient reaches the unit: nothing is said of it
            continue
        y = inputs[:, unit].reshape(-1)  # γ = 1 at the start
        variance = y.var(correction=0) + 0.1
        normalised = (y - y.mean()) / variance.sqrt()
        left = gy @ hessian_y @ gy
        first = gy @ hessian_z @ gy / variance
        second = -(gz @ normalised) * (gy @ gy) / (len(y) * variance)
        gaps.append(float((left - first - second).abs() / (first.abs() + second.abs())))
        curvature = gz @ hessian_z @ gz
        violated.append(float(left > curvature / variance + second))
        rescaled.append(float(left > curvature / variance**2 + second))
        negative.append(float(curvature < 0))
    assert found[f"theorems/{layer}/gap_4_2"] < 1e-9
    assert found[f"theorems/{layer}/gap_4_2_without_eps"] == pytest.approx(max(gaps), rel=1e-9)
    for name, shares in (
        ("second_form_violated", violated),
        ("second_form_rescaled_violated", rescaled),
        ("output_curvature_negative", negative),
    ):
        assert found[f"theorems/{layer}/{name}"] == pytest.approx(sum(shares) / len(shares))


def test_units_with_a_gradient_are_drawn_first():
    """With β = −100 all units but one of layer2 stay below the ReLU: a single draw finds that one."""
    network = small_network()
    with torch.no_grad():
        network.layer2.norm.bias.fill_(-100)
        network.layer2.norm.bias[5] = 0
    record = small_record()
    found = measured(record_of(network, record.images, record.targets), units=1)
    assert 0 < found["theorems/layer2/gap_4_2_without_eps"] < 1e-3


def test_a_layer_that_is_dead_says_nothing():
    network = small_network()
    with torch.no_grad():
        network.layer2.norm.bias.fill_(-100)
    record = small_record()
    found = measured(record_of(network, record.images, record.targets))
    assert math.isnan(found["theorems/layer2/second_form_violated"])
    assert found["theorems/layer2/gap_4_2"] == 0


@pytest.mark.parametrize(("layers", "expected"), [(1, [2]), (2, [1, 3]), (3, [1, 2, 3]), (4, [1, 2, 3])])
def test_layers_are_spread_over_the_depth(layers, expected):
    found = theorem_4_2(small_record(), layers=layers, units=1).scalars
    assert [name for name in found if name.endswith("gap_4_2")] == [f"theorems/layer{k}/gap_4_2" for k in expected]


@pytest.mark.parametrize(("layers", "units"), [(0, 1), (1, 0)])
def test_looking_at_nothing_is_refused(layers, units):
    with pytest.raises(ValueError, match=rf"layers \({layers}\) and units \({units}\) of each must be at least 1"):
        theorem_4_2(small_record(), layers=layers, units=units)


def test_a_network_without_batch_norm_is_refused():
    record = record_of(nn.Linear(3, 2), torch.randn(4, 3), torch.eye(2)[[0, 1, 0, 1]])
    with pytest.raises(ValueError, match="has no BatchNorm"):
        theorem_4_2(record, layers=1, units=1)


def test_it_costs_one_pass_and_three_products_a_unit(monkeypatch):
    record = small_record()
    passes, gradients = counted(monkeypatch), []
    grad = torch.autograd.grad
    monkeypatch.setattr(torch.autograd, "grad", lambda *rest, **more: gradients.append(1) or grad(*rest, **more))
    theorem_4_2(record, layers=3, units=2)
    assert len(passes) == 1
    assert len(gradients) == 1 + 3 * 2 * 3
