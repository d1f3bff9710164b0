"""From images in [0, 1] to what the network sees, all numbers of an image together: directions in which they vary."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from normscope.data.dataset import Split
from normscope.data.preprocess import mean_of, pixels

EXACT = 1024  # rows of numbers within ±128 whose products float32 adds up without rounding: 1024 * 128² = 2^24


@dataclass(frozen=True, eq=False)
class Axes:
    """The principal axes of a training split, those along which it varies at all.

    Attributes:
        mean: (1, C, H, W) float64.
        directions: (D, R) float64, orthonormal columns; D = C H W.
        variances: (R,) float64, along the directions, largest first, in units of [0, 1]².
    """

    mean: Tensor
    directions: Tensor
    variances: Tensor


@dataclass(frozen=True, eq=False)
class Linear:
    """x -> (x - mean) M on the flattened image, in the image's shape.

    Attributes:
        mean: (1, C, H, W) float32.
        matrix: (D, D) float32.
    """

    mean: Tensor
    matrix: Tensor

    def __call__(self, images: Tensor) -> Tensor:
        """Float images (N, C, H, W) in [0, 1] -> as many numbers in the same shape."""
        return ((images - self.mean).flatten(1) @ self.matrix).view(images.shape)

    def to(self, device: torch.device) -> "Linear":
        """The same on another device."""
        return Linear(self.mean.to(device), self.matrix.to(device))


@dataclass(frozen=True, eq=False)
class Chosen:
    """x -> (x - mean) where the mask is 1, and 0 where it is 0.

    Attributes:
        mean, mask: (1, C, H, W) float32.
    """

    mean: Tensor
    mask: Tensor

    def __call__(self, images: Tensor) -> Tensor:
        """Float images (N, C, H, W) in [0, 1] -> centred ones with some pixels only."""
        return (images - self.mean).mul_(self.mask)

    def to(self, device: torch.device) -> "Chosen":
        """The same on another device."""
        return Chosen(self.mean.to(device), self.mask.to(device))


def pca_whitening(train: Split, eps: float) -> Linear:
    """Uncorrelated numbers of variance 1: the image's coordinates along the principal axes, each divided by its spread.

    CS231n's notes, "Setting up the data and the model", with Σ = U diag(λ) Uᵀ the covariance of the training images:
        y = diag(1/√(λ + ε)) Uᵀ (x − mean)
    The first number belongs to the largest λ. The shape stays that of the images, but neighbouring numbers are no
    neighbouring pixels any more: meant for models without convolutions. Directions in which the training images do not
    vary (all beyond the first N − 1 if there are few) give 0, whatever ε is.

    Args:
        train: the split that mean and covariance are taken of.
        eps: ε >= 0, a variance in units of [0, 1]²; it keeps noise from being blown up.
    Raises:
        ValueError: if eps is negative, or the split holds plain numbers.
    """
    axes = principal_axes(train)
    scaled = axes.directions / _spread(axes, eps)
    return _linear(axes, torch.nn.functional.pad(scaled, (0, len(scaled) - scaled.shape[1])))


def zca(train: Split, eps: float) -> Linear:
    """Uncorrelated numbers of variance 1 that still look like the image: of all whitenings the one nearest to it.

    Bell & Sejnowski 1997, "The independent components of natural scenes are edge filters"; Krizhevsky 2009, appendix A:
        y = U diag(1/√(λ + ε)) Uᵀ (x − mean)
    with the terms of `pca_whitening`, which says what ε and few images do.

    Args:
        train: the split that mean and covariance are taken of.
        eps: ε >= 0, a variance in units of [0, 1]².
    Raises:
        ValueError: if eps is negative, or the split holds plain numbers.
    """
    axes = principal_axes(train)
    return _linear(axes, (axes.directions / _spread(axes, eps)) @ axes.directions.T)


def principal_components(train: Split, components: int) -> Linear:
    """What the first k principal components keep of an image: the nearest image that k numbers can describe.

    Feature selection by variance (Pearson 1901): y = U_k U_kᵀ (x − mean), U_k the k axes of largest variance. The
    network sees an image of the old shape.

    Args:
        train: the split that mean and axes are taken of.
        components: k, from 1 to the number of directions in which the training images vary.
    Raises:
        ValueError: if k is out of range, or the split holds plain numbers.
    """
    axes = principal_axes(train)
    if not 1 <= components <= len(axes.variances):
        raise ValueError(
            f"components ({components}) must lie within 1 and {len(axes.variances)}, the number of directions in which "
            f"the {len(train)} training images vary"
        )
    kept = axes.directions[:, :components]
    return _linear(axes, kept @ kept.T)


def varying_pixels(train: Split, count: int) -> Chosen:
    """The k numbers of an image (pixel and channel) that vary most over the training split, minus their mean; the
    others are 0, so that the network sees an image of the old shape.

    Feature selection by variance: k numbers are kept as in `principal_components`, here without mixing them.

    Args:
        train: the split that means and variances are taken of.
        count: k, from 1 to C H W; of equal variances the first is kept.
    Raises:
        ValueError: if k is out of range, or the split holds plain numbers.
    """
    mean = mean_of(train)
    if not 1 <= count <= mean.numel():
        raise ValueError(f"count ({count}) must lie within 1 and {mean.numel()}, the numbers that an image has")
    sums = train.images.sum(0, dtype=torch.int64)
    squares = torch.stack([part.long().square().sum(0) for part in train.images.split(EXACT)]).sum(0)
    variances = len(train) * squares - sums.square()  # times (255 N)², in whole numbers, which tell ties from rounding
    mask = torch.zeros(mean.numel())
    mask[variances.flatten().argsort(descending=True, stable=True)[:count]] = 1
    return Chosen(mean.float(), mask.view(mean.shape))


@lru_cache(maxsize=1)
def principal_axes(train: Split) -> Axes:
    """Eigenvectors and eigenvalues of the covariance (1/N) Σ (x − mean)(x − mean)ᵀ of a split, kept for the next run on
    the same split: at 3,072 numbers an image they take half a minute.

    Sums of products are exact. With fewer images than numbers an image, they come from the N x N products of images.

    Raises:
        ValueError: if the split holds no images but plain numbers.
    """
    mean, count = mean_of(train), len(train)
    bytes_ = pixels(train).flatten(1)  # (N, D)
    if count <= bytes_.shape[1]:
        centred = bytes_.double() / 255 - mean.flatten()
        values, vectors = torch.linalg.eigh(centred @ centred.T / count)
        vectors = centred.T @ vectors  # (D, N), of length √(N λ)
        vectors = vectors / vectors.norm(dim=0).clamp_min(1e-300)
    else:
        products = torch.zeros(bytes_.shape[1], bytes_.shape[1], dtype=torch.float64)
        for part in bytes_.split(EXACT):
            near = part.float() - 128
            products += near.T @ near
        shift = 255 * mean.flatten() - 128
        values, vectors = torch.linalg.eigh((products / count - shift.outer(shift)) / 255**2)
    values, vectors = values.flip(0), vectors.flip(1)
    varies = values > values[0] * 1e-12  # rounding leaves about 1e-15 where nothing varies
    return Axes(mean, vectors[:, varies], values[varies])


def _spread(axes: Axes, eps: float) -> Tensor:
    if not eps >= 0:
        raise ValueError(f"eps ({eps}) must be at least 0, a variance in units of [0, 1]²")
    return (axes.variances + eps).sqrt()


def _linear(axes: Axes, matrix: Tensor) -> Linear:
    return Linear(axes.mean.float(), matrix.float().contiguous())
