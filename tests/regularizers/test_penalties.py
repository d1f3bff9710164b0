"""The terms that are added to the loss, each against PyTorch's own or a sum by hand."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from normscope.regularizers.confidence_penalty import ConfidencePenalty
from normscope.regularizers.elastic import elastic
from normscope.regularizers.l1 import l1
from normscope.regularizers.l2 import l2
from normscope.regularizers.label_smoothing import LabelSmoothing
from normscope.regularizers.weight_decay import weight_decay

NOTHING = torch.empty(0)


def answers(seed=0):
    """Logits (6, 4) and targets that are mixed, as mixup leaves them."""
    generator = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(6, 4, generator=generator).double(), torch.rand(6, 4, generator=generator).double().softmax(
        1
    )


def test_l1_worked_out_by_hand_with_its_gradient():
    weight = torch.tensor([[3.0, 0.0, -2.0]], requires_grad=True)
    term = l1(NOTHING, NOTHING, {"w": weight}, strength=0.2)
    term.backward()
    assert term.item() == pytest.approx(1.0)
    torch.testing.assert_close(weight.grad, torch.tensor([[0.2, 0.0, -0.2]]))


def test_under_sgd_l1_brings_useless_weights_near_zero_and_not_to_it():
    """The push is as strong at 0.01 as at 1, so that a step of lr λ = 0.03 leads past 0 and the next one back."""
    weight = nn.Parameter(torch.tensor([1.0, -0.5]))
    optimizer = torch.optim.SGD([weight], 0.1)
    seen = []
    for _ in range(100):
        optimizer.zero_grad()
        l1(NOTHING, NOTHING, {"w": weight}, strength=0.3).backward()
        optimizer.step()
        seen.append(weight.detach().clone())
    last = torch.stack(seen[-10:]).abs()
    assert last.max() <= 0.03 + 1e-6
    assert last.max() > 1e-4


def test_elastic_is_l1_and_l2_together():
    weights = {"w": torch.randn(3, 4), "b": torch.randn(3)}
    both = l1(NOTHING, NOTHING, weights, strength=0.3) + l2(NOTHING, NOTHING, weights, strength=0.7)
    torch.testing.assert_close(elastic(NOTHING, NOTHING, weights, strength_l1=0.3, strength_l2=0.7), both)


@pytest.mark.parametrize("penalty", [l1, l2])
def test_prelu_slopes_are_left_out(penalty):
    weights = {"layer1.conv.weight": torch.ones(2, 2), "layer1.activation.weight": torch.full((1,), 100.0)}
    without = {"layer1.conv.weight": torch.ones(2, 2)}
    assert penalty(NOTHING, NOTHING, weights, strength=1.0) == penalty(NOTHING, NOTHING, without, strength=1.0)


def test_prelu_slopes_do_not_decay():
    weights = {"layer1.activation.weight": torch.tensor([0.25]), "layer1.norm.weight": torch.tensor([1.0])}
    weight_decay(weights, 0.5, strength=1.0, biases_and_norms=True)
    assert [weight.item() for weight in weights.values()] == [0.25, 0.5]


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
def test_label_smoothing_is_pytorchs_own(smoothing):
    logits, mixed = answers()
    for targets in (mixed, torch.eye(4).double()[torch.arange(6) % 4]):
        objective = F.cross_entropy(logits, targets) + LabelSmoothing(smoothing=smoothing)(logits, targets, {})
        expected = F.cross_entropy(logits, targets, label_smoothing=smoothing)
        torch.testing.assert_close(objective, expected, rtol=1e-12, atol=1e-12)


def test_confidence_penalty_is_minus_the_entropy():
    logits, targets = answers()
    entropy = torch.distributions.Categorical(logits=logits).entropy().mean()
    torch.testing.assert_close(ConfidencePenalty(strength=0.3)(logits, targets, {}), -0.3 * entropy)
    guessing = ConfidencePenalty(strength=1.0)(torch.zeros(2, 10), targets, {})
    assert guessing.item() == pytest.approx(-math.log(10))


@pytest.mark.parametrize(
    ("term", "message"),
    [
        (lambda given: l1(*given, strength=-1), r"l1: strength \(-1\)"),
        (lambda given: elastic(*given, strength_l1=-1, strength_l2=0), r"strength_l1 \(-1\)"),
        (lambda given: LabelSmoothing(smoothing=1), r"smoothing \(1\)"),
        (lambda given: ConfidencePenalty(strength=-2), r"strength \(-2\)"),
    ],
)
def test_values_out_of_range_are_refused(term, message):
    with pytest.raises(ValueError, match=message):
        term((*answers(), {"w": torch.ones(2)}))
