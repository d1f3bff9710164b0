import pytest
import torch
import torch.nn.functional as F
from torch import nn

from normscope.second_order import CheapSecondDerivatives, batch_norm

SHAPES = [(7, 3), (4, 3, 2, 5)]


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).requires_grad_()


def derivatives(norm, x, affine):
    """The value, the gradient and a Hessian-vector product of a scalar that bends in every input."""
    inputs = [x, *affine]
    y = norm(x, None, None, *affine, training=True, eps=1e-3)
    value = (y**3 * drawn(*y.shape, seed=5).detach()).sum()
    gradient = torch.autograd.grad(value, inputs, create_graph=True)
    directions = [drawn(*tensor.shape, seed=6).detach() for tensor in inputs]
    product = torch.autograd.grad(gradient, inputs, directions)
    return [value, *gradient, *product]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("gamma", ["drawn", "zero", "none"])
def test_value_gradient_and_hessian_are_those_of_torch(shape, gamma):
    weight = drawn(3, seed=1) if gamma == "drawn" else torch.zeros(3, dtype=torch.float64, requires_grad=True)
    affine = [] if gamma == "none" else [weight, drawn(3, seed=2)]
    x = drawn(*shape)
    for ours, theirs in zip(derivatives(batch_norm, x, affine), derivatives(F.batch_norm, x, affine), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-11)


def test_the_layout_of_the_features_makes_no_difference():
    affine = [drawn(3, seed=1), drawn(3, seed=2)]
    x = drawn(4, 3, 2, 5)
    other = x.detach().to(memory_format=torch.channels_last).requires_grad_()
    for plain, last in zip(derivatives(batch_norm, x, affine), derivatives(batch_norm, other, affine), strict=True):
        torch.testing.assert_close(plain, last, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_second_derivative_is_that_of_differences(shape):
    def norm(*inputs):
        return batch_norm(inputs[0], None, None, *inputs[1:], training=True, eps=1e-3)

    assert torch.autograd.gradgradcheck(norm, (drawn(*shape), drawn(3, seed=1), drawn(3, seed=2)))


def test_a_function_that_ignores_the_scale_of_x_has_hessian_times_x_equal_to_minus_the_gradient():
    """Euler: f(a x) = f(x) makes ⟨∇f, x⟩ = 0, and differentiated once more, ∇²f x = −∇f. Without ε it holds exactly."""
    x = drawn(9, 2)
    value = (batch_norm(x, None, None, training=True, eps=1e-30) ** 3 * drawn(9, 2, seed=3).detach()).sum()
    (gradient,) = torch.autograd.grad(value, x, create_graph=True)
    (product,) = torch.autograd.grad(gradient, x, x.detach())
    torch.testing.assert_close(product, -gradient, rtol=1e-10, atol=1e-10)


def test_a_network_takes_it_inside_the_with_and_its_running_statistics_stay():
    norm, x = nn.BatchNorm1d(3).double(), drawn(5, 3)
    with CheapSecondDerivatives():
        inside = norm(x)
    assert "_BatchNorm" in type(inside.grad_fn).__name__
    assert norm.running_mean.tolist() == [0, 0, 0]
    outside = norm(x)
    assert "_BatchNorm" not in type(outside.grad_fn).__name__
    torch.testing.assert_close(inside, outside)


def test_in_evaluation_mode_it_is_plain_batch_norm():
    norm, x = nn.BatchNorm1d(3).double().eval(), drawn(5, 3)
    norm.running_mean += 2
    with CheapSecondDerivatives():
        torch.testing.assert_close(norm(x), (x - 2) / (1 + norm.eps) ** 0.5)
