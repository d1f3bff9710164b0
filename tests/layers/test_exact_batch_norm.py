import pytest
import torch

from normscope.layers.exact_batch_norm import exact_batch_norm


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_a_batch_of_two_becomes_minus_one_and_one():
    """(3, 7): mean 5, variance 4; then γ = 2 and β = 10."""
    z = exact_batch_norm(torch.tensor([[3.0], [7.0]]), torch.tensor([2.0]), torch.tensor([10.0]))
    assert z.tolist() == [[8.0], [12.0]]


@pytest.mark.parametrize("shape", [(9, 4), (5, 4, 3, 2)])
def test_it_is_pytorchs_batch_norm_with_its_first_and_second_derivatives(shape):
    values, gamma, beta = random(*shape).requires_grad_(), random(4, seed=1), random(4, seed=2)
    direction, weight = random(*shape, seed=3), random(*shape, seed=4)
    found = []
    for norm in (
        lambda y: exact_batch_norm(y, gamma, beta, eps=0.1),
        lambda y: torch.nn.functional.batch_norm(y, None, None, gamma, beta, training=True, eps=0.1),
    ):
        z = norm(values)
        (gradient,) = torch.autograd.grad((weight * z.sin()).sum(), values, create_graph=True)
        (product,) = torch.autograd.grad((gradient * direction).sum(), values)
        found.append((z, gradient, product))
    torch.testing.assert_close(found[0], found[1], rtol=1e-10, atol=1e-12)


def test_gamma_and_beta_can_undo_it():
    """Santurkar et al. 2018, observation 4.3: γ = σ and β = mean y give z = y."""
    y = random(7, 3)
    z = exact_batch_norm(y, y.std(0, correction=0), y.mean(0))
    torch.testing.assert_close(z, y, rtol=1e-13, atol=1e-14)


def test_it_does_not_see_how_long_the_weights_are():
    """At ε = 0: BN(X (aW)) = BN(X W), ⟨W_j, ∂L/∂W_j⟩ = 0, and at aW the gradient is 1/a times that at W; to 1e-10."""
    layer_inputs, weight, gamma, beta = random(20, 6), random(6, 4, seed=1), random(4, seed=2), random(4, seed=3)
    target = random(20, 4, seed=4)

    def outputs_and_gradient(w):
        w = w.clone().requires_grad_()
        z = exact_batch_norm(layer_inputs @ w, gamma, beta)
        return z.detach(), torch.autograd.grad(((z - target).tanh() ** 2).sum(), w)[0]

    z, gradient = outputs_and_gradient(weight)
    for a in (0.01, 3.0, 1000.0):
        z_scaled, gradient_scaled = outputs_and_gradient(a * weight)
        torch.testing.assert_close(z_scaled, z, rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(a * gradient_scaled, gradient, rtol=1e-10, atol=1e-10)
    assert ((weight * gradient).sum(0) / (weight.norm(dim=0) * gradient.norm(dim=0))).abs().max() < 1e-10


def test_a_constant_channel_has_no_exact_norm():
    assert exact_batch_norm(torch.ones(4, 1), torch.ones(1), torch.zeros(1)).isnan().all()


@pytest.mark.parametrize(
    ("channels", "eps", "message"), [(3, -0.1, r"eps \(-0.1\) must be at least 0"), (2, 0.0, r"gamma \(2,\)")]
)
def test_what_makes_no_sense_is_refused(channels, eps, message):
    with pytest.raises(ValueError, match=message):
        exact_batch_norm(torch.ones(4, 3), torch.ones(channels), torch.zeros(channels), eps=eps)
