import pytest
import torch

from normscope.layers.lp_norm import l1_norm, l2_norm, l_infinity_norm

NORMS = {"l1": l1_norm, "l2": l2_norm, "l_infinity": l_infinity_norm}
every_norm = pytest.mark.parametrize("make", NORMS.values(), ids=NORMS.keys())


def build(make, channels=1, eps=1e-12, momentum=0.25, affine=True):
    return make(channels, True, eps=eps, momentum=momentum, affine=affine).double()


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + 0.7


@pytest.mark.parametrize(("name", "size"), [("l1", 14 / 4), ("l2", (62 / 4) ** 0.5), ("l_infinity", 6.0)])
def test_the_size_is_that_before_the_mean_is_removed(name, size):
    values = torch.tensor([[1.0], [-3.0], [6.0], [4.0]], dtype=torch.float64)  # mean 2, Σ|y| 14, Σy² 62
    torch.testing.assert_close(build(NORMS[name])(values), (values - 2) / size)


@every_norm
def test_images_are_taken_over_batch_and_space(make):
    images = random(4, 2, 3, 5)
    flat = images.movedim(1, -1).reshape(-1, 2)
    torch.testing.assert_close(build(make, 2)(images).movedim(1, -1).reshape(-1, 2), build(make, 2)(flat))


def test_l2_of_centred_values_is_batch_norm():
    values = random(50, 3)
    values = values - values.mean(0)
    torch.testing.assert_close(build(l2_norm, 3)(values), torch.nn.BatchNorm1d(3, eps=1e-24).double()(values))


@every_norm
def test_the_length_of_the_input_does_not_matter(make):
    values = random(20, 3)
    torch.testing.assert_close(build(make, 3)(5 * values), build(make, 3)(values))


@every_norm
def test_the_statistics_are_differentiated_through(make):
    """z does not depend on the length of y, so that ⟨y, ∂L/∂y⟩ = 0; and the gradient is that of finite differences."""
    values = random(6, 2).requires_grad_()
    layer, weights = build(make, 2), random(6, 2, seed=1)
    (gradient,) = torch.autograd.grad((weights * layer(values)).sum(), values)
    assert (values * gradient).sum(0).abs().max() < 1e-9
    assert torch.autograd.gradcheck(lambda y: layer(y), (values,), atol=1e-5)


@every_norm
def test_scoring_uses_running_averages_of_mean_and_size(make):
    layer = build(make, momentum=0.25)
    first = torch.tensor([[1.0], [3.0]], dtype=torch.float64)
    layer(first)
    size = {"l1_norm": 2.0, "l2_norm": 5**0.5, "l_infinity_norm": 3.0}[make.__name__]
    expected = (first - 0.25 * 2) / (0.75 * 1 + 0.25 * size)
    state = {name: buffer.clone() for name, buffer in layer.named_buffers()}
    torch.testing.assert_close(layer.eval()(first), expected)
    assert all(torch.equal(buffer, state[name]) for name, buffer in layer.named_buffers())


@every_norm
def test_without_momentum_the_averages_are_plain_means(make):
    layer = build(make)
    layer.momentum = None
    for batch in (torch.tensor([[1.0], [3.0]]), torch.tensor([[2.0], [6.0]]), torch.tensor([[0.0], [1.0]])):
        layer(batch.double())
    assert layer.running_mean.item() == pytest.approx((2 + 4 + 0.5) / 3)


@every_norm
def test_a_dead_channel_stays_finite(make):
    values = torch.zeros(4, 2, requires_grad=True)
    layer = make(2, False, eps=1e-5, momentum=0.1, affine=True)
    layer(values).sum().backward()
    assert torch.isfinite(values.grad).all()


@every_norm
def test_bfloat16_comes_back_as_bfloat16(make):
    assert make(2, True, eps=1e-5, momentum=0.1, affine=False)(random(4, 2).bfloat16()).dtype == torch.bfloat16


@every_norm
def test_values_out_of_range_are_refused(make):
    with pytest.raises(ValueError, match=rf"{make.__name__}: momentum \(2\) must lie in"):
        build(make, momentum=2)
