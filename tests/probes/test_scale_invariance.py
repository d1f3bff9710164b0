import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from normscope.probes.scale_invariance import scale_invariance
from tests.probes.test_reduction import loaded, one_unit
from tests.recorded import cross_entropy, record_of, small_record
from tests.test_record import counted

LAYERS = ("layer1", "layer2", "layer3")


def measured(record, factor=2.0):
    return {name: float(value) for name, value in scale_invariance(record, factor=factor).scalars.items()}


def with_eps(eps):
    record = small_record()
    for layer in LAYERS:
        getattr(record.network, layer).norm.eps = eps
    return record


@pytest.mark.parametrize("factor", [2.0, 0.3])
def test_without_eps_the_network_does_not_see_how_long_its_weights_are(factor):
    """Claim T3: to 1e-10. (ε = 1e-300, since PyTorch refuses 0.)"""
    for name, value in measured(with_eps(1e-300), factor).items():
        assert value < 1e-10, name


def test_of_one_unit_every_number_is_known():
    """z = 2 y / √(9 w² + ε) at y₁ = −3 w, ε = 1. dL/dw = d/dw (−6 w / √(9 w² + 1)) = −6 / (9 w² + 1)^1.5, which the
    cosine of one weight with one gradient turns into 1."""

    def loss(w):
        return -6 * w / (9 * w**2 + 1) ** 0.5

    found = measured(one_unit(eps=1.0))
    assert found["theorems/loss_at_scaled"] == pytest.approx(loss(2) / loss(1) - 1)
    assert found["theorems/layer1/gradient_at_scaled"] == pytest.approx(1 - 2 * (10 / 37) ** 1.5)
    assert found["theorems/layer1/weight_gradient_cosine"] == pytest.approx(1)


def test_what_is_left_is_what_eps_leaves():
    """⟨W_j, ∂L/∂W_j⟩ = γ ∂L/∂γ ε/σ², for σ² = var y + ε."""
    record = with_eps(0.01)
    found = measured(record)
    for layer, name in zip(LAYERS, ("conv", "conv", "linear"), strict=True):
        y = record.layer_values("norm_inputs")[layer].movedim(1, 0).flatten(1)
        weight, gradient = (of[f"{layer}.{name}.weight"].flatten(1) for of in (record.weights, record.base[1]))
        gamma, gamma_gradient = (of[f"{layer}.norm.weight"] for of in (record.weights, record.base[1]))
        left_over = gamma * gamma_gradient * 0.01 / (y.var(1, correction=0) + 0.01)
        expected = (left_over / (weight.norm(dim=1) * gradient.norm(dim=1))).abs().max()
        assert found[f"theorems/{layer}/weight_gradient_cosine"] == pytest.approx(float(expected), rel=1e-9)


def test_it_agrees_with_plain_autograd_at_weights_that_were_scaled():
    record = with_eps(0.01)
    found = measured(record, factor=3.0)

    def taken(factor):
        network = copy.deepcopy(record.network)
        names = [("layer1", "conv"), ("layer2", "conv"), ("layer3", "linear")]
        weights = {layer: getattr(getattr(network, layer), name).weight for layer, name in names}
        with torch.no_grad():
            for weight in weights.values():
                weight *= factor
        torch.set_rng_state(record.random_state)
        loss = cross_entropy(network(record.images), record.targets, {})
        loss.backward()
        return loss.item(), {layer: weight.grad for layer, weight in weights.items()}

    (loss, gradient), (loss_scaled, gradient_scaled) = taken(1.0), taken(3.0)
    assert found["theorems/loss_at_scaled"] == pytest.approx(abs(loss_scaled - loss) / loss, rel=1e-9)
    for layer in LAYERS:
        change = (3 * gradient_scaled[layer] - gradient[layer]).norm() / gradient[layer].norm()
        assert found[f"theorems/{layer}/gradient_at_scaled"] == pytest.approx(change.item(), rel=1e-9)


def test_weight_decay_in_the_objective_is_left_out():
    def decayed(logits, targets, weights):
        return cross_entropy(logits, targets, weights) + sum(w.square().sum() for w in weights.values())

    for name, value in measured(replace(with_eps(1e-300), objective=decayed)).items():
        assert value < 1e-10, name


def test_dead_units_count_nowhere():
    record = small_record()
    record.weights["layer2.norm.bias"][3:] = -100
    found = measured(record)
    assert all(value < 1 for value in found.values())
    assert loaded(record).layer2.norm.bias[3] == -100


@pytest.mark.parametrize("factor", [0.0, -2.0, 1.0])
def test_factors_that_scale_nothing_are_refused(factor):
    with pytest.raises(ValueError, match=rf"factor \({factor}\) must be positive and not 1"):
        scale_invariance(small_record(), factor=factor)


def test_a_network_without_batch_norm_is_refused():
    record = record_of(nn.Linear(3, 2), torch.randn(4, 3), torch.eye(2)[[0, 1, 0, 1]])
    with pytest.raises(ValueError, match="has no BatchNorm"):
        scale_invariance(record, factor=2.0)


@pytest.mark.parametrize(("own", "expected"), [(True, 1), (False, 2)])
def test_it_costs_one_pass_beside_the_base(monkeypatch, own, expected):
    record = small_record()
    record = replace(record, own=record.base if own else None)
    passes = counted(monkeypatch)
    measured(record)
    assert len(passes) == expected
