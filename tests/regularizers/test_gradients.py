"""What acts on the gradient between backward and the optimizer."""

import pytest
import torch
from torch import nn

from normscope.regularizers.adaptive_clipping import clip_adaptively, unit_lengths
from normscope.regularizers.clipping import clip_by_norm, clip_by_value
from normscope.regularizers.gradient_noise import GradientNoise


def weights_with(**gradients):
    """Parameters of ones with these gradients."""
    weights = {}
    for name, gradient in gradients.items():
        weights[name] = nn.Parameter(torch.ones_like(torch.tensor(gradient)))
        weights[name].grad = torch.tensor(gradient)
    return weights


def test_clipping_by_value_may_turn_the_gradient():
    weights = weights_with(w=[0.9, 100.0, -3.0])
    clip_by_value(weights, bound=1.0)
    torch.testing.assert_close(weights["w"].grad, torch.tensor([0.9, 1.0, -1.0]))


def test_clipping_by_norm_keeps_the_direction_over_all_weights():
    weights = weights_with(w=[[0.9, 100.0]], b=[-7.0])
    before = torch.cat([weight.grad.flatten() for weight in weights.values()])
    clip_by_norm(weights, bound=1.0)
    after = torch.cat([weight.grad.flatten() for weight in weights.values()])
    torch.testing.assert_close(after, before / before.norm())


def test_short_gradients_are_left_alone():
    for clip in (clip_by_norm, clip_by_value):
        weights = weights_with(w=[0.3, -0.4])
        clip(weights, bound=1.0)
        assert torch.equal(weights["w"].grad, torch.tensor([0.3, -0.4]))


def test_adaptive_clipping_bounds_each_unit_by_its_own_weights():
    weights = {
        "layer1.conv.weight": nn.Parameter(torch.randn(5, 3, 2, 2)),
        "layer1.conv.bias": nn.Parameter(torch.zeros(5)),
    }
    for weight in weights.values():
        weight.grad = torch.randn_like(weight)
    weights["layer1.conv.weight"].grad[0] *= 1e-6
    before = {name: weight.grad.clone() for name, weight in weights.items()}
    clip_adaptively(weights, clipping=0.01)
    filters = weights["layer1.conv.weight"]
    lengths, bounds = filters.grad.flatten(1).norm(dim=1), 0.01 * filters.detach().flatten(1).norm(dim=1)
    torch.testing.assert_close(lengths[1:], bounds[1:])
    assert torch.equal(filters.grad[0], before["layer1.conv.weight"][0])
    cosines = torch.cosine_similarity(filters.grad.flatten(1), before["layer1.conv.weight"].flatten(1))
    torch.testing.assert_close(cosines, torch.ones(5))
    assert weights["layer1.conv.bias"].grad.norm().item() == pytest.approx(0.01 * 1e-3)  # a bias of 0 may still grow


def test_adaptive_clipping_leaves_the_head_alone():
    weights = {"head.weight": nn.Parameter(torch.ones(2, 2))}
    weights["head.weight"].grad = torch.full((2, 2), 9.0)
    clip_adaptively(weights, clipping=0.01)
    assert (weights["head.weight"].grad == 9).all()


def test_a_zero_gradient_stays_zero():
    for clip in (lambda w: clip_adaptively(w, clipping=0.01), lambda w: clip_by_norm(w, bound=1.0)):
        weights = weights_with(w=[[0.0, 0.0]])
        clip(weights)
        assert weights["w"].grad.tolist() == [[0, 0]]


def test_unit_lengths_broadcast_over_their_weights():
    assert unit_lengths(torch.ones(3, 4)).tolist() == [[2], [2], [2]]
    assert unit_lengths(torch.ones(2, 1, 3, 3)).shape == (2, 1, 1, 1)
    assert unit_lengths(torch.ones(4)).tolist() == [2]


def test_gradient_noise_dies_away_as_the_equation_says():
    torch.manual_seed(0)
    weights = {"w": nn.Parameter(torch.zeros(200_000))}
    noise = GradientNoise(variance=0.3)
    for t in range(6):
        weights["w"].grad = torch.ones(200_000)
        noise(weights)
        expected = 0.3 / (1 + t) ** 0.55
        assert weights["w"].grad.var().item() == pytest.approx(expected, rel=0.02)  # six standard errors
        assert weights["w"].grad.mean().item() == pytest.approx(1, abs=0.01)


def test_gradient_noise_goes_on_where_it_was():
    first, second = GradientNoise(variance=1.0), GradientNoise(variance=1.0)
    for _ in range(3):
        first(weights_with(w=[0.0, 0.0]))
    second.restore({name: value.clone() for name, value in first.state().items()})
    found = []
    for noise in (first, second):
        torch.manual_seed(1)
        weights = weights_with(w=[0.0, 0.0])
        noise(weights)
        found.append(weights["w"].grad)
    assert torch.equal(*found)


def test_weights_without_a_gradient_are_passed_over():
    for transform in (clip_by_value, clip_by_norm):
        transform({**weights_with(w=[3.0]), "frozen": nn.Parameter(torch.ones(2))}, bound=1.0)


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (lambda: clip_by_value({}, bound=0), r"clip_by_value: bound \(0\)"),
        (lambda: clip_by_norm({}, bound=-1), r"clip_by_norm: bound \(-1\)"),
        (lambda: clip_adaptively({}, clipping=0), r"clipping \(0\)"),
        (lambda: GradientNoise(variance=-1), r"variance \(-1\)"),
    ],
)
def test_values_out_of_range_are_refused(transform, message):
    with pytest.raises(ValueError, match=message):
        transform()
