import pytest
import torch
from torch import nn

from normscope.optimizers.newton import Newton, gradient_and_hessian, newton_direction


def newton(*weights, lr=1.0, damping=0.0, most_weights=10):
    return Newton(weights, lr=lr, damping=damping, most_weights=most_weights, mini_batches=False)


def test_one_step_reaches_the_minimum_of_a_quadratic():
    """f(w) = ½ wᵀ A w − b·w has its minimum at A⁻¹ b, from wherever one starts."""
    A = torch.tensor([[3.0, 1.0], [1.0, 2.0]], dtype=torch.float64)
    b = torch.tensor([1.0, -4.0], dtype=torch.float64)
    w = nn.Parameter(torch.tensor([50.0, -70.0], dtype=torch.float64))
    newton(w).step(lambda backward: 0.5 * w @ A @ w - b @ w)
    torch.testing.assert_close(w.detach(), torch.linalg.inv(A) @ b)


def test_it_walks_into_a_saddle():
    """For f = x² − y² the quadratic model has no slope at the saddle, and that is where it goes."""
    w = nn.Parameter(torch.tensor([1.0, 0.5]))
    newton(w).step(lambda backward: w[0] ** 2 - w[1] ** 2)
    torch.testing.assert_close(w.detach(), torch.zeros(2))


def test_damping_is_added_to_the_eigenvalues():
    direction = newton_direction(torch.tensor([2.0, 3.0]), torch.diag(torch.tensor([1.0, 0.0])), damping=1.0)
    torch.testing.assert_close(direction, torch.tensor([-1.0, -3.0]))


def test_a_singular_hessian_is_no_crash():
    direction = newton_direction(torch.ones(2), torch.zeros(2, 2), damping=0.0)
    assert not direction.isfinite().all()  # the run ends as diverged


def test_the_hessian_is_that_of_torch_func_over_several_weights():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 2)).double()
    images, labels = torch.randn(5, 3).double(), torch.tensor([0, 1, 1, 0, 1])
    weights = dict(network.named_parameters())

    def loss(values):
        return nn.functional.cross_entropy(torch.func.functional_call(network, values, (images,)), labels)

    gradient, hessian = gradient_and_hessian(loss(weights), list(weights.values()))
    blocks = torch.func.hessian(loss)({name: weight.detach() for name, weight in weights.items()})
    sizes = {name: weight.numel() for name, weight in weights.items()}
    rows = [torch.cat([blocks[a][b].reshape(sizes[a], sizes[b]) for b in weights], 1) for a in weights]
    torch.testing.assert_close(hessian, torch.cat(rows))
    first = torch.autograd.grad(loss(weights), list(weights.values()))
    torch.testing.assert_close(gradient, torch.cat([part.flatten() for part in first]))


def test_it_leaves_the_gradient_where_probes_look_for_it():
    w = nn.Parameter(torch.tensor([3.0]))
    optimizer = newton(w, lr=0.5)
    optimizer.step(lambda backward: w.square().sum())
    assert w.grad.item() == 6.0
    assert w.item() == 1.5
    assert not optimizer.state  # nothing that a checkpoint had to keep


def test_a_large_network_is_refused_with_its_price():
    with pytest.raises(ValueError, match=r"has 11 weights, more than most_weights \(10\).*optimizer=lbfgs"):
        newton(nn.Parameter(torch.zeros(11)))


def test_negative_damping_is_refused():
    with pytest.raises(ValueError, match=r"damping \(-1\)"):
        newton(nn.Parameter(torch.zeros(1)), damping=-1)
