import pytest
import torch
from torch import nn

from normscope.layers.frozen_statistics import frozen_statistics


def build(channels=2, spatial=True, momentum=0.0, eps=1e-5, affine=True):
    return frozen_statistics(channels, spatial, eps=eps, momentum=momentum, affine=affine)


def images(seed, count=6):
    return 3 + 2 * torch.randn(count, 2, 4, 4, generator=torch.Generator().manual_seed(seed))


def test_the_first_batch_is_normalised_as_by_batch_norm():
    torch.testing.assert_close(build()(images(0)), nn.BatchNorm2d(2)(images(0)), rtol=1e-4, atol=1e-5)


def test_at_momentum_0_the_first_statistics_stay():
    layer = build()
    layer(images(0))
    kept = {name: buffer.clone() for name, buffer in layer.named_buffers() if name != "batches"}
    later = layer(images(1))
    assert all(torch.equal(dict(layer.named_buffers())[name], buffer) for name, buffer in kept.items())
    assert torch.equal(layer.eval()(images(1)), later)


def test_at_momentum_1_the_forward_pass_is_that_of_batch_norm_and_the_gradient_is_not():
    layer, plain, values = build(momentum=1.0), nn.BatchNorm2d(2), images(0).requires_grad_()
    weights = images(9)
    layer(images(3))
    found = [(layer(values), layer), (plain(values), plain)]
    torch.testing.assert_close(found[0][0], found[1][0], rtol=1e-4, atol=1e-5)
    mine, theirs = (torch.autograd.grad((weights * z).sum(), values)[0] for z, _ in found)
    torch.testing.assert_close(mine, weights / layer.size.view(1, 2, 1, 1))  # mean and size are constants
    assert not torch.allclose(mine, theirs, rtol=0.1)


def test_averages_by_hand():
    layer = build(1, spatial=False, momentum=0.25, eps=3.0)
    layer(torch.tensor([[1.0], [3.0]]))  # mean 2, √(1 + 3) = 2
    layer(torch.tensor([[4.0], [4.0]]))  # mean 4, √(0 + 3)
    assert layer.mean.item() == pytest.approx(0.75 * 2 + 0.25 * 4)
    assert layer.size.item() == pytest.approx(0.75 * 2 + 0.25 * 3**0.5)


def test_two_passes_before_one_backward_pass_do_not_disturb_each_other():
    layer, values = build(momentum=0.5), images(0).requires_grad_()
    (layer(values) + layer(values + 1)).sum().backward()
    assert torch.isfinite(values.grad).all()


def test_values_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"frozen_statistics: eps \(0\) must be positive"):
        build(eps=0)
