from dataclasses import replace

import pytest
import torch

from normscope.record import StepRecord
from normscope.vectors import distance_l2, flattened, norm_l2
from tests.recorded import cross_entropy, quadratic, small_record


@pytest.fixture
def small():
    return small_record()


def autograd_loss(record):
    """The loss of the record's network as plain PyTorch computes it, with the step's dropout mask."""
    torch.set_rng_state(record.random_state)
    return cross_entropy(record.network(record.images), record.targets, {})


def test_the_gradient_is_that_of_plain_autograd_with_the_same_dropout_mask(small):
    loss, gradient = small.gradient_at(small.weights)
    expected = autograd_loss(small)
    expected.backward()
    assert loss == expected.detach()
    for name, weight in small.network.named_parameters():
        assert torch.equal(gradient[name], weight.grad)


def test_looking_moves_nothing(small):
    state = {name: tensor.clone() for name, tensor in small.network.state_dict().items()}
    random = torch.get_rng_state()
    small.loss_at(small.weights)
    small.hessian(small.base[1])
    assert small.layer_values("activations")["layer1"].shape == (16, 6, 4, 4)
    assert small.layer_values("norm_input_gradients")["layer3"].shape == (16, 12)
    torch.rand(3, generator=small.generator("some probe"))
    assert all(torch.equal(state[name], tensor) for name, tensor in small.network.state_dict().items())
    assert torch.equal(random, torch.get_rng_state())
    assert all(weight.grad is None for weight in small.network.parameters())
    assert not any(module._forward_hooks for module in small.network.modules())


def test_batch_norm_is_in_training_mode_whatever_the_running_statistics_say(small):
    before = small.loss_at(small.weights)
    small.buffers["layer1.norm.running_mean"] += 100
    assert small.loss_at(small.weights) == before


def test_the_gradient_is_found_at_the_weights_that_are_asked_for(small):
    elsewhere = {name: weight + 0.1 for name, weight in small.weights.items()}
    assert distance_l2(small.gradient_at(elsewhere)[1], small.base[1]) > 1e-3


def test_layer_values_are_what_the_layers_hold(small):
    """Normalised by hand, γ = 1 and β = 0 at the start: outputs (y − mean) / √(var + ε), then ReLU."""
    y = small.layer_values("norm_inputs")["layer2"]
    variance, mean = torch.var_mean(y, (0, 2, 3), correction=0, keepdim=True)
    z = (y - mean) / (variance + 1e-5).sqrt()
    for kind in ("norm_outputs", "pre_activations"):
        torch.testing.assert_close(small.layer_values(kind)["layer2"], z, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(small.layer_values("activations")["layer2"], z.relu(), rtol=1e-12, atol=1e-12)


def test_layer_gradients_are_those_of_a_shift_of_the_layer(small):
    """∂L/∂z summed over the batch and space is ∂L/∂β, since β shifts z of its channel everywhere."""
    gradient = small.layer_values("pre_activation_gradients")["layer1"]
    torch.testing.assert_close(gradient.sum((0, 2, 3)), small.base[1]["layer1.norm.bias"], rtol=1e-9, atol=1e-12)


def counted(monkeypatch):
    passes = []
    evaluate = StepRecord.evaluate
    monkeypatch.setattr(StepRecord, "evaluate", lambda self, weights: passes.append(1) or evaluate(self, weights))
    return passes


@pytest.mark.parametrize("base_first", [True, False])
def test_probes_that_say_what_they_read_share_one_pass(small, monkeypatch, base_first):
    record = replace(small, reads=frozenset({"activations", "pre_activation_gradients"}))
    expected = small.base[1]
    passes = counted(monkeypatch)
    if base_first:
        _ = record.base
    record.layer_values("activations")
    record.layer_values("pre_activation_gradients")
    assert all(torch.equal(record.base[1][name], expected[name]) for name in expected)
    assert len(passes) == 1


def test_the_steps_own_gradient_costs_no_pass(small, monkeypatch):
    record = replace(small, own=small.base)
    passes = counted(monkeypatch)
    assert record.base is record.own
    assert not passes


def test_an_unknown_kind_of_layer_values_is_refused(small):
    with pytest.raises(ValueError, match="no kind 'logits'; there are pre_activations"):
        small.layer_values("logits")


def test_the_hessian_of_a_parabola_is_its_curvatures():
    record = quadratic([1.0, 4.0, 0.5], [1.0, 2.0, 3.0], lr=0.1)
    product = record.hessian({"weight": torch.tensor([[1.0, 1.0, 2.0]])})
    assert product["weight"].tolist() == [[1.0, 4.0, 1.0]]


def test_the_hessian_agrees_with_differences_of_the_gradient(small):
    direction = {
        name: torch.randn(w.shape, generator=torch.Generator().manual_seed(3), dtype=w.dtype)
        for name, w in small.weights.items()
    }
    tiny = 1e-6
    ends = [
        small.gradient_at({name: w + sign * tiny * direction[name] for name, w in small.weights.items()})[1]
        for sign in (1, -1)
    ]
    difference = (flattened(ends[0]) - flattened(ends[1])) / (2 * tiny)
    product = small.hessian(direction)
    assert (flattened(product) - difference).norm() < 1e-6 * norm_l2(product)


def test_a_probes_random_numbers_depend_on_the_step_and_its_name(small):
    draws = [torch.rand(4, generator=r.generator(n)) for r in (small, replace(small, step=1)) for n in ("a", "b", "a")]
    assert torch.equal(draws[0], draws[2])
    assert len({tuple(draw.tolist()) for draw in draws}) == 4
