import pytest
import torch
from torch import nn

from normscope.layers.noise import Noise, noise, noisy
from normscope.layers.noisy_batch_norm import noisy_batch_norm

PAPER = {"n_mu": 0.5, "n_sigma": 1.25, "r_mu": 0.1, "r_sigma": 0.1}


def norm(channels=3, spatial=True, **change):
    return noisy_batch_norm(channels, spatial, **{**PAPER, "eps": 1e-5, "momentum": 0.1, "affine": True, **change})


def images(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_a_channels_mean_jumps_from_step_to_step_by_the_triangular_law():
    """Of a unit whose mean is 0 without noise, |μ_{t+1} − μ_t| has density 2(1 − x) on [0, 1], median 1 − 1/√2."""
    torch.manual_seed(0)
    layer, features = norm(4000, spatial=False), images(400, 4000)
    jumps = (layer(features).mean(0) - layer(features).mean(0)).abs()
    assert jumps.median().item() == pytest.approx(0.293, abs=0.015)  # three deviations of the median of 4,000
    assert (jumps < 0.5).float().mean().item() == pytest.approx(0.75, abs=0.025)
    assert 0.9 < jumps.max() < 1.05


def test_every_value_has_its_own_noise_around_that_of_its_channel():
    torch.manual_seed(0)
    values = noisy(torch.zeros(50, 200, 10, 10), Noise(**PAPER))
    within = values.transpose(0, 1).flatten(1)
    assert within.mean(1).abs().max() <= 0.51
    assert within.mean(1).var().item() == pytest.approx(1 / 12, rel=0.2)  # μ ~ U(−1/2, 1/2)
    spread = (within - within.mean(1, keepdim=True)).abs().max(1).values
    assert torch.all((spread > 0.095) & (spread < 0.105))


def test_a_channels_scale_lies_above_one():
    torch.manual_seed(0)
    both = torch.stack([torch.full((5000, 300), 7.0), torch.full((5000, 300), 7.0)])
    scale = torch.stack([noisy(one, Noise(0, 1.25, 0, 0.1)) for one in both]) / 7
    means = scale.mean(1)
    assert means.min() > 0.99
    assert means.max() < 1.26
    assert means.mean().item() == pytest.approx(1.125, abs=0.01)
    assert scale.std(1).mean().item() == pytest.approx(0.1, rel=0.02)
    assert not torch.allclose(means[0], means[1], atol=0.01)  # drawn anew


def test_the_noise_is_a_constant_for_autograd():
    torch.manual_seed(0)
    values = torch.full((4, 3), 2.0, requires_grad=True)
    once = noisy(values, Noise(**PAPER))
    (gradient,) = torch.autograd.grad(once.sum(), values)
    torch.manual_seed(0)
    twice = noisy(2 * values.detach(), Noise(**PAPER))
    torch.testing.assert_close(gradient, (twice - once.detach()) / 2)


def test_without_widths_and_in_evaluation_it_is_batch_norm():
    plain, quiet = nn.BatchNorm2d(3), norm(n_mu=0.0, n_sigma=1.0, r_mu=0.0, r_sigma=0.0)
    features = images(8, 3, 4, 4)
    torch.testing.assert_close(quiet(features), plain(features))
    loud = norm()
    loud(features)
    for layer in (plain, loud):
        layer.eval()
    assert torch.equal(loud(features), plain(features))
    assert plain.state_dict().keys() == loud.state_dict().keys()


def test_the_noise_alone_normalises_nothing_and_is_silent_in_evaluation():
    alone, features = noise(3, True, **PAPER), 5 + 2 * images(8, 3, 4, 4)
    torch.manual_seed(0)
    disturbed = alone(features)
    torch.manual_seed(0)
    assert torch.equal(disturbed, noisy(features, Noise(**PAPER)))
    assert torch.equal(alone.eval()(features), features)
    assert not list(alone.parameters())


def test_the_noise_alone_refuses_the_same_values():
    with pytest.raises(ValueError, match=r"noise: n_sigma \(0.75\) must be at least 1"):
        noise(3, True, **{**PAPER, "n_sigma": 0.75})


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_the_same_seed_is_the_same_noise_in_every_type(dtype):
    found = []
    for kind in (torch.float32, dtype):
        torch.manual_seed(3)
        found.append(noisy(torch.ones(5, 2, 3, 3, dtype=kind), Noise(**PAPER)).double())
    torch.testing.assert_close(found[0], found[1], rtol=0.02, atol=0.02 if dtype == torch.bfloat16 else 1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_mu": -0.5}, r"n_mu \(-0.5\).* at least 0"),
        ({"n_sigma": 0.75}, r"n_sigma \(0.75\) must be at least 1"),
        ({"eps": 0.0}, r"noisy_batch_norm: eps \(0.0\)"),
    ],
)
def test_values_out_of_range_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        norm(**change)


def test_the_noise_is_a_child_that_can_be_silent_while_the_batch_normalises():
    layer = norm().eval()
    layer.training = True
    assert torch.equal(layer(images(8, 3, 4, 4)), nn.BatchNorm2d(3)(images(8, 3, 4, 4)))


def test_the_noise_does_not_depend_on_the_layout_of_memory():
    values = torch.randn(4, 6, 5, 3)
    found = []
    for layout in (torch.contiguous_format, torch.channels_last):
        torch.manual_seed(0)
        found.append(noisy(values.to(memory_format=layout), Noise(**PAPER)))
    assert torch.equal(*found)
