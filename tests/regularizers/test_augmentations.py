"""What acts on a batch of images before the network sees it."""

import pytest
import torch
from PIL import Image, ImageEnhance

from normscope.regularizers.colour_jitter import colour_jitter
from normscope.regularizers.cutout import cutout
from normscope.regularizers.input_noise import input_noise
from normscope.regularizers.mixtures import cutmix, mixup
from normscope.regularizers.squares import in_square

ONE_HOT = torch.eye(4)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def batch(count=4, size=8):
    """Random images, and targets that tell each of them."""
    return torch.rand(count, 3, size, size, generator=generator(9)), torch.eye(count)


def test_a_square_worked_out_by_hand():
    centres = torch.tensor([[1, 2], [0, 0]])
    odd, even = in_square((3, 4), centres, 3)[:, 0].int(), in_square((3, 4), centres, 2)[:, 0].int()
    assert odd.tolist() == [[[0, 1, 1, 1]] * 3, [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]]]
    assert even.tolist() == [[[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]], [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]]


def test_cutout_paints_squares_in_the_mean_colour_and_nothing_else():
    images, targets = batch(count=200)
    painted, same = cutout(images, targets, generator(), side=3)
    assert same is targets
    changed = (painted != images).any(1)  # (N, H, W)
    mean = images.mean((0, 2, 3))
    assert torch.allclose(painted.permute(0, 2, 3, 1)[changed], mean)
    sizes = {(int(one.any(1).sum()), int(one.any(0).sum())) for one in changed}
    assert sizes == {(2, 2), (2, 3), (3, 2), (3, 3)}  # cut by the border, or whole
    assert all(int(one.sum()) == int(one.any(1).sum()) * int(one.any(0).sum()) for one in changed)


def test_cutouts_centre_may_be_any_pixel():
    images, targets = batch(count=2000, size=4)
    painted, _ = cutout(images, targets, generator(), side=1)
    places = (painted != images).any(1).float().mean(0)
    torch.testing.assert_close(places, torch.full((4, 4), 1 / 16), rtol=0, atol=0.03)  # five standard errors


def test_mixup_blends_images_and_targets_by_the_same_share():
    images, targets = batch()
    mixed, shares = mixup(images, targets, generator(), alpha=1.0)
    share = shares[0, 0]
    assert 0 < share < 1
    torch.testing.assert_close(shares, share * targets + (1 - share) * targets.roll(1, 0))
    torch.testing.assert_close(mixed, torch.einsum("nm,mchw->nchw", shares, images))


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_the_share_is_drawn_from_beta(alpha):
    images, targets = torch.zeros(2, 1, 1, 1), torch.eye(2)
    source = generator()
    shares = torch.stack([mixup(images, targets, source, alpha=alpha)[1][0, 0] for _ in range(4000)])
    expected = torch.distributions.Beta(alpha, alpha)
    assert shares.mean().item() == pytest.approx(0.5, abs=0.03)
    assert shares.var().item() == pytest.approx(expected.variance.item(), rel=0.1)


def test_cutmix_mixes_the_targets_by_the_area_that_is_pasted():
    images, targets = batch(size=9)
    source, areas = generator(), set()
    for _ in range(60):
        mixed, shares = cutmix(images, targets, source, alpha=1.0)
        pasted = (mixed != images).any(1)  # (N, H, W)
        torch.testing.assert_close(
            mixed[pasted[:, None].expand_as(mixed)], images.roll(1, 0)[pasted[:, None].expand_as(mixed)]
        )
        assert all(torch.equal(pasted[0], one) for one in pasted)
        area = pasted[0].float().mean()
        torch.testing.assert_close(shares, (1 - area) * targets + area * targets.roll(1, 0))
        areas.add(int(pasted[0].sum()))
    assert len(areas) > 20


def test_cutmix_squares_have_the_drawn_area_where_the_border_does_not_cut_them():
    """E[side²/H²] = E[1 − λ] = 1/2; in a large image a small square is seldom cut, a large one always."""
    images, targets = torch.arange(2.0).reshape(2, 1, 1, 1).expand(2, 1, 64, 64), torch.eye(2)
    source = generator()
    areas = torch.stack([cutmix(images, targets, source, alpha=1.0)[1][0, 1] for _ in range(2000)])
    uniform = torch.rand(200_000, 3, generator=generator(1))  # the same by geometry: a square cut by the unit square
    side = uniform[:, 0].sqrt()
    inside = [(centre + side / 2).clamp(max=1) - (centre - side / 2).clamp(min=0) for centre in uniform[:, 1:].T]
    assert areas.mean().item() == pytest.approx((inside[0] * inside[1]).mean().item(), abs=0.02)


def test_input_noise_has_its_standard_deviation():
    images, targets = torch.full((50, 3, 16, 16), 0.5), torch.eye(50)
    noisy, same = input_noise(images, targets, generator(), std=0.1)
    assert same is targets
    assert (noisy - images).std().item() == pytest.approx(0.1, rel=0.02)
    assert (noisy - images).mean().item() == pytest.approx(0, abs=0.003)


@pytest.mark.parametrize(
    ("amounts", "enhance"),
    [((1.0, 0, 0), ImageEnhance.Brightness), ((0, 1.0, 0), ImageEnhance.Contrast), ((0, 0, 1.0), ImageEnhance.Color)],
)
def test_jitter_is_pillows_enhancement_by_a_factor_of_each_image(amounts, enhance):
    pixels = torch.randint(0, 256, (3, 8, 8, 3), dtype=torch.uint8, generator=generator())
    images = pixels.permute(0, 3, 1, 2).float() / 255
    names = ("brightness", "contrast", "colour")
    found, _ = colour_jitter(images, ONE_HOT, generator(5), **dict(zip(names, amounts, strict=True)))
    factors = 2 * torch.rand(3, 3, generator=generator(5))[amounts.index(1.0)]  # 1 + 1 (2 u - 1)
    for image, result, factor in zip(pixels, found, factors.tolist(), strict=True):
        expected = torch.frombuffer(
            bytearray(enhance(Image.fromarray(image.numpy())).enhance(factor).tobytes()), dtype=torch.uint8
        )
        expected = expected.reshape(8, 8, 3).permute(2, 0, 1).float() / 255
        torch.testing.assert_close(result, expected, rtol=0, atol=3 / 255)  # Pillow rounds to bytes, its grey too


def test_no_jitter_is_no_change_and_results_stay_in_range():
    images, targets = batch()
    still, _ = colour_jitter(images, targets, generator(), brightness=0.0, contrast=0.0, colour=0.0)
    torch.testing.assert_close(still, images)
    wild, _ = colour_jitter(images, targets, generator(), brightness=1.0, contrast=1.0, colour=1.0)
    assert wild.min() >= 0
    assert wild.max() <= 1
    grey, _ = colour_jitter(images[:, :1], targets, generator(), brightness=0.5, contrast=0.5, colour=0.0)
    assert grey.shape == (4, 1, 8, 8)


RULES = {
    "cutout": lambda *given: cutout(*given, side=3),
    "mixup": lambda *given: mixup(*given, alpha=0.3),
    "cutmix": lambda *given: cutmix(*given, alpha=0.3),
    "noise": lambda *given: input_noise(*given, std=0.3),
    "jitter": lambda *given: colour_jitter(*given, brightness=0.5, contrast=0.5, colour=0.5),
}


@pytest.mark.parametrize("name", RULES)
def test_all_randomness_comes_from_the_given_generator(name):
    images, targets = batch()
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first, second, other = (RULES[name](images, targets, generator(seed))[0] for seed in (3, 3, 4))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", RULES)
def test_targets_stay_probabilities(name):
    images, targets = batch()
    _, found = RULES[name](images, targets, generator())
    torch.testing.assert_close(found.sum(1), torch.ones(4))
    assert found.min() >= 0


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (lambda given: cutout(*given, side=0), r"side \(0\)"),
        (lambda given: mixup(*given, alpha=0), r"mixup: alpha \(0\)"),
        (lambda given: cutmix(*given, alpha=-1), r"cutmix: alpha \(-1\)"),
        (lambda given: mixup(given[0][:1], given[1][:1], given[2], alpha=1), "batch of 1 image"),
        (lambda given: input_noise(*given, std=-1), r"std \(-1\)"),
        (lambda given: colour_jitter(*given, brightness=2, contrast=0, colour=0), r"brightness \(2\)"),
        (lambda given: colour_jitter(given[0][:, :1], *given[1:], brightness=0, contrast=0, colour=0.5), "1 channel"),
    ],
)
def test_what_does_not_fit_is_refused(rule, message):
    with pytest.raises(ValueError, match=message):
        rule((*batch(), generator()))
