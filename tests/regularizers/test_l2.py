import pytest
import torch
from torch import nn

from normscope.losses import cross_entropy
from normscope.regularizers.l2 import l2
from normscope.regularizers.rules import Regularizers
from normscope.training.step import losses

LOSS = cross_entropy("mean")


def trained(rules, weight_decay, momentum):
    torch.manual_seed(0)
    network = nn.Linear(4, 3).double()
    images, targets = torch.randn(16, 4).double(), torch.eye(3).double()[torch.arange(16) % 3]
    optimizer = torch.optim.SGD(network.parameters(), 0.1, momentum=momentum, weight_decay=weight_decay)
    for _ in range(6):
        optimizer.zero_grad()
        losses(LOSS, rules, network(images), targets, dict(network.named_parameters()))[1].backward()
        optimizer.step()
    return torch.cat([weight.detach().flatten() for weight in network.parameters()])


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_l2_equals_sgd_weight_decay(momentum):
    rule = Regularizers(loss=(lambda *given: l2(*given, strength=0.3),))
    expected = trained(Regularizers(), 0.3, momentum)
    torch.testing.assert_close(trained(rule, 0.0, momentum), expected, rtol=1e-12, atol=0)


def test_the_penalty_worked_out_by_hand():
    weights = {"w": torch.tensor([[3.0, 0.0]]), "b": torch.tensor([4.0])}
    assert l2(torch.empty(0), torch.empty(0), weights, strength=0.2).item() == pytest.approx(2.5)


def test_a_weight_of_zero_length_has_a_gradient():
    weight = torch.zeros(3, requires_grad=True)
    l2(torch.empty(0), torch.empty(0), {"w": weight}, strength=1.0).backward()
    assert weight.grad.tolist() == [0, 0, 0]


def test_its_curvature_is_the_strength_even_at_zero():
    """∇²(λ/2) ‖w‖² = λ: the Hessian of the objective is defined where a bias starts at 0."""
    hessian = torch.autograd.functional.hessian(
        lambda w: l2(torch.empty(0), torch.empty(0), {"w": w}, strength=0.3), torch.zeros(2)
    )
    torch.testing.assert_close(hessian, 0.3 * torch.eye(2))


def test_a_negative_strength_is_refused():
    with pytest.raises(ValueError, match=r"strength \(-1\)"):
        l2(torch.empty(0), torch.empty(0), {}, strength=-1)
