import math

import pytest
import torch
from torch.nn import functional as F

from normscope.losses import cross_entropy, squared_error

OUTPUTS = torch.tensor([[1.0, 2.0], [0.0, -1.0], [3.0, 0.5]])
NUMBERS = torch.tensor([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]])  # squared errors 4, 5 and 0.25
LABELS = torch.tensor([1, 0, 1])


def test_the_squared_error_worked_out_by_hand():
    assert squared_error("sum")(OUTPUTS, NUMBERS) == 9.25
    assert squared_error("mean")(OUTPUTS, NUMBERS) == pytest.approx(9.25 / 3)
    assert squared_error("sum")(OUTPUTS, LABELS) == (1 + 1) + (1 + 1) + (9 + 0.25)  # distance to one-hot targets


def test_the_gradient_of_the_summed_squared_error_is_twice_the_difference():
    outputs = OUTPUTS.clone().requires_grad_()
    squared_error("sum")(outputs, NUMBERS).backward()
    assert torch.equal(outputs.grad, 2 * (OUTPUTS - NUMBERS))


def test_the_cross_entropy_is_pytorchs_to_the_last_bit():
    targets = F.one_hot(LABELS).float()
    assert torch.equal(cross_entropy("mean")(OUTPUTS, targets), F.cross_entropy(OUTPUTS, targets))
    assert cross_entropy("sum")(OUTPUTS, targets).item() == pytest.approx(3 * F.cross_entropy(OUTPUTS, LABELS).item())


@pytest.mark.parametrize("kind", [cross_entropy, squared_error])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_parts_add_up_to_the_whole(kind, reduction):
    loss = kind(reduction)
    total = loss.total(OUTPUTS[:1], LABELS[:1]) + loss.total(OUTPUTS[1:], LABELS[1:])
    targets = F.one_hot(LABELS).float()
    assert loss.of_total(float(total), 3) == pytest.approx(loss(OUTPUTS, targets).item(), rel=1e-6)


def test_guessing_among_ten_classes_costs_ln_10():
    targets = F.one_hot(torch.arange(20) % 10).float()
    assert cross_entropy("mean").of_guessing(targets) == pytest.approx(math.log(10), rel=1e-14)
    assert squared_error("mean").of_guessing(targets) == 1
    assert squared_error("sum").of_guessing(NUMBERS) == 1 + 4 + 9


@pytest.mark.parametrize("targets", [NUMBERS, torch.tensor([[2.0, -1.0]])])
def test_the_cross_entropy_of_plain_numbers_is_refused(targets):
    with pytest.raises(ValueError, match=r"the targets here are numbers; choose loss=squared_error"):
        cross_entropy("mean").of_guessing(targets)


def test_targets_without_anything_to_learn_are_refused():
    with pytest.raises(ValueError, match="all zero"):
        squared_error("sum").of_guessing(torch.zeros(3, 2))


@pytest.mark.parametrize("kind", [cross_entropy, squared_error])
def test_another_reduction_is_refused(kind):
    with pytest.raises(ValueError, match=r"reduction \(max\) of a loss must be mean or sum"):
        kind("max")
