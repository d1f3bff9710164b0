import pytest
import torch
from torch import nn

from normscope.layers.ghost_batch_norm import ghost_batch_norm


def build(virtual_batch=4, channels=3, momentum=0.1):
    return ghost_batch_norm(channels, True, virtual_batch=virtual_batch, eps=1e-5, momentum=momentum, affine=True)


def images(count=8):
    return torch.randn(count, 3, 4, 4, generator=torch.Generator().manual_seed(0))


def test_each_virtual_batch_is_normalised_for_itself():
    values = images()
    parts = [nn.BatchNorm2d(3)(part) for part in values.split(4)]
    torch.testing.assert_close(build()(values), torch.cat(parts))


def test_the_running_averages_are_those_of_batch_norm_on_one_part_after_the_other():
    layer, plain = build(), nn.BatchNorm2d(3)
    layer(images())
    for part in images().split(4):
        plain(part)
    assert all(torch.equal(mine, plain.state_dict()[name]) for name, mine in layer.state_dict().items())
    assert torch.equal(layer.eval()(images()), plain.eval()(images()))


def test_a_virtual_batch_as_large_as_the_batch_is_batch_norm():
    assert torch.equal(build(8)(images()), nn.BatchNorm2d(3)(images()))


def test_virtual_batches_make_up_the_batch():
    build(4).check_batch(8)
    with pytest.raises(ValueError, match=r"virtual_batch \(4\) must divide batch_size \(6\)"):
        build(4).check_batch(6)
    with pytest.raises(ValueError, match=r"virtual_batch \(32\) must divide batch_size \(16\)"):
        build(32).check_batch(16)


def test_a_virtual_batch_of_one_is_refused():
    with pytest.raises(ValueError, match=r"virtual_batch \(1\) must be at least 2"):
        build(1)
