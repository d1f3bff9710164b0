import pytest
import torch

from normscope.data import whitening
from normscope.data.dataset import Split
from normscope.data.whitening import pca_whitening, principal_axes, principal_components, varying_pixels, zca


def drawn(count, shape=(2, 3, 4)):
    """Images whose pixels are correlated and differ in how much they vary."""
    generator = torch.Generator().manual_seed(count)
    size = torch.Size(shape).numel()
    mixing = torch.randn(size, size, generator=generator) * torch.linspace(0.2, 2, size)
    images = 128 + 8 * (torch.randn(count, size, generator=generator) @ mixing.T)
    return Split(images.clamp(0, 255).round().to(torch.uint8).view(count, *shape), torch.arange(count) % 2)


MANY, FEW = drawn(3000), drawn(9)


def numbers(split):
    return split.images.float() / 255


def covariance(images):
    return images.double().flatten(1).T.cov(correction=0)


@pytest.mark.parametrize("whiten", [pca_whitening, zca])
def test_whitened_images_have_mean_0_and_unit_covariance(whiten):
    result = whiten(MANY, eps=0)(numbers(MANY))
    assert result.shape == MANY.images.shape
    torch.testing.assert_close(result.double().mean(0), torch.zeros(2, 3, 4).double(), rtol=0, atol=1e-5)
    torch.testing.assert_close(covariance(result), torch.eye(24).double(), rtol=0, atol=2e-5)


def test_eps_adds_to_every_variance():
    """The covariance becomes diag(λ / (λ + ε)) along the axes, largest first."""
    eps = 0.01
    variances = torch.linalg.eigvalsh(covariance(numbers(MANY))).flip(0)
    expected = (variances / (variances + eps)).diag()
    torch.testing.assert_close(covariance(pca_whitening(MANY, eps)(numbers(MANY))), expected, rtol=0, atol=2e-5)


def test_zca_is_the_inverse_square_root_of_the_covariance():
    """Symmetric, hence of all whitenings the one that changes the images least: less than that by PCA."""
    found = zca(MANY, eps=0).matrix.double()
    torch.testing.assert_close(found, found.T)
    torch.testing.assert_close(found @ covariance(numbers(MANY)) @ found, torch.eye(24).double(), rtol=0, atol=2e-5)
    centred = numbers(MANY) - numbers(MANY).mean(0)
    changes = [(whiten(MANY, eps=0)(numbers(MANY)) - centred).square().sum() for whiten in (zca, pca_whitening)]
    assert changes[0] < changes[1]


@pytest.mark.parametrize("whiten", [pca_whitening, zca])
def test_nine_images_vary_in_eight_directions_and_the_rest_gives_0(whiten):
    result = whiten(FEW, eps=0)(numbers(FEW))
    variances = torch.linalg.eigvalsh(covariance(result))
    expected = torch.cat((torch.zeros(16), torch.ones(8))).double()
    torch.testing.assert_close(variances, expected, rtol=0, atol=1e-4)
    others = whiten(FEW, eps=0)(numbers(MANY))
    assert torch.linalg.matrix_rank(others.double().flatten(1), rtol=1e-5) == 8


def test_the_axes_of_few_images_are_those_of_their_covariance():
    """The N x N way against the D x D way."""
    axes = principal_axes(FEW)
    variances, directions = torch.linalg.eigh(covariance(numbers(FEW).double()))
    torch.testing.assert_close(axes.variances, variances.flip(0)[:8], rtol=1e-5, atol=0)
    projector = directions.flip(1)[:, :8] @ directions.flip(1)[:, :8].T
    torch.testing.assert_close(axes.directions @ axes.directions.T, projector, rtol=0, atol=1e-6)


def test_sums_of_products_are_exact_for_the_brightest_images():
    white = torch.full((whitening.EXACT * 2 + 5, 1, 1, 2), 255, dtype=torch.uint8)
    white[::3] = 0
    axes = principal_axes(Split(white, torch.zeros(len(white), dtype=torch.int64)))
    share = (white[:, 0, 0, 0] == 0).double().mean()
    assert axes.variances.tolist() == pytest.approx([2 * float(share * (1 - share))], rel=1e-13)


def test_the_axes_are_computed_once_for_a_split(monkeypatch):
    principal_axes.cache_clear()
    calls = []
    eigh = torch.linalg.eigh
    monkeypatch.setattr(torch.linalg, "eigh", lambda matrix: calls.append(1) or eigh(matrix))
    for fit in (lambda: zca(MANY, 0.1), lambda: zca(MANY, 0.2), lambda: principal_components(MANY, 3)):
        fit()
    assert len(calls) == 1


def test_principal_components_leave_the_variance_of_the_largest():
    """What is lost is the sum of the other eigenvalues, the least that k numbers can lose (Eckart & Young)."""
    centred = numbers(MANY) - numbers(MANY).mean(0)
    variances = torch.linalg.eigvalsh(covariance(numbers(MANY))).flip(0)
    result = principal_components(MANY, 5)(numbers(MANY))
    lost = (centred - result).double().square().sum() / len(MANY)
    assert lost.item() == pytest.approx(variances[5:].sum().item(), rel=1e-4)
    torch.testing.assert_close(principal_components(MANY, 24)(numbers(MANY)), centred, rtol=0, atol=1e-5)


def test_the_pixels_that_vary_most_are_kept():
    centred = numbers(MANY) - numbers(MANY).mean(0)
    best = centred.double().var(0, correction=0).flatten().topk(7).indices
    result = varying_pixels(MANY, 7)(numbers(MANY)).flatten(1)
    torch.testing.assert_close(result[:, best], centred.flatten(1)[:, best], rtol=0, atol=1e-6)
    assert result.count_nonzero(1).max() == 7


@pytest.mark.parametrize("seed", range(5))
def test_of_pixels_that_vary_alike_the_first_is_kept(seed):
    some = torch.randint(256, (1000, 1, 1, 1), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))
    split = Split(torch.cat([some, 255 - some, some.flip(0)], 3), torch.zeros(1000, dtype=torch.int64))
    assert varying_pixels(split, 1).mask.flatten().tolist() == [1, 0, 0]
    assert varying_pixels(split, 2).mask.flatten().tolist() == [1, 1, 0]


def test_no_choice_of_as_many_pixels_keeps_as_much_as_the_components():
    kept = [fit(MANY, 7)(numbers(MANY)).square().sum() for fit in (varying_pixels, principal_components)]
    assert kept[0] < kept[1]


@pytest.mark.parametrize("fit", [pca_whitening, zca])
def test_a_negative_eps_is_refused(fit):
    with pytest.raises(ValueError, match=r"eps \(-0.1\) must be at least 0"):
        fit(MANY, -0.1)


@pytest.mark.parametrize("wrong", [0, 25])
def test_a_number_of_features_out_of_range_is_refused(wrong):
    with pytest.raises(ValueError, match=rf"components \({wrong}\) must lie within 1 and 24"):
        principal_components(MANY, wrong)
    with pytest.raises(ValueError, match=rf"count \({wrong}\) must lie within 1 and 24"):
        varying_pixels(MANY, wrong)
    with pytest.raises(ValueError, match=r"components \(9\) must lie within 1 and 8, .* the 9 training images"):
        principal_components(FEW, 9)


@pytest.mark.parametrize("fit", [zca, pca_whitening, principal_components, varying_pixels])
def test_it_leaves_the_images_alone_and_moves_to_a_device(fit):
    found, images = fit(MANY, 1), numbers(MANY)
    before = images.clone()
    found(images)
    assert torch.equal(images, before)
    assert {value.device.type for value in vars(found.to(torch.device("meta"))).values()} == {"meta"}


def test_plain_numbers_are_refused():
    with pytest.raises(ValueError, match="take dataset/preprocess=none"):
        zca(Split(torch.randn(5, 3, 1, 1), torch.randn(5, 2)), 0.1)
