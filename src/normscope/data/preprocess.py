"""From images in [0, 1] to what the network sees, one number at a time: shifts and scales."""

from dataclasses import dataclass

import torch
from torch import Tensor

from normscope.data.dataset import Split


@dataclass(frozen=True, eq=False)
class Standardise:
    """x -> (x - mean) / std, channel by channel.

    Attributes:
        mean, std: (1, C, 1, 1) float32, in units of the range [0, 1].
    """

    mean: Tensor
    std: Tensor

    def __call__(self, images: Tensor) -> Tensor:
        """Float images (N, C, H, W) in [0, 1] -> standardised ones; the argument is left as it is."""
        return (images - self.mean).div_(self.std)

    def to(self, device: torch.device) -> "Standardise":
        """The same on another device."""
        return Standardise(self.mean.to(device), self.std.to(device))


@dataclass(frozen=True, eq=False)
class Centre:
    """x -> x - mean.

    Attributes:
        mean: (1, C, 1, 1) or (1, C, H, W) float32, in units of the range [0, 1].
    """

    mean: Tensor

    def __call__(self, images: Tensor) -> Tensor:
        """Float images (N, C, H, W) in [0, 1] -> centred ones; the argument is left as it is."""
        return images - self.mean

    def to(self, device: torch.device) -> "Centre":
        """The same on another device."""
        return Centre(self.mean.to(device))


def standardise(train: Split) -> Standardise:
    """Zero mean and unit variance in each channel of the training split.

    CS231n's advice (one mean a channel as in VGG, Simonyan & Zisserman 2014, arXiv:1409.1556, section 2.1), divided by
    the standard deviation:
        mean_c = Σ x_c / (N H W),   std_c = √(Σ x_c² / (N H W) - mean_c²),   x = bytes / 255
    The sums run over how often each byte occurs, in whole numbers, so nothing is rounded before the end.

    Args:
        train: the split that the statistics are taken of.
    Returns:
        What standardises any images. A channel that never varies is only centred: its std counts as 1.
    Raises:
        ValueError: if the split holds no images but plain numbers.
    """
    means, stds = [], []
    for channel in pixels(train).unbind(1):  # (N, H, W)
        counts = torch.bincount(channel.reshape(-1), minlength=256).tolist()
        total = sum(counts)
        first = sum(count * value for value, count in enumerate(counts))
        second = sum(count * value**2 for value, count in enumerate(counts))
        variance = (total * second - first**2) / total**2  # of whole numbers until the division
        means.append(first / total / 255)
        stds.append(variance**0.5 / 255 if variance else 1.0)
    return Standardise(torch.tensor(means).view(1, -1, 1, 1), torch.tensor(stds).view(1, -1, 1, 1))


def mean_channel(train: Split) -> Centre:
    """Zero mean in each channel of the training split: one number a channel is subtracted.

    Simonyan & Zisserman 2014, arXiv:1409.1556, section 2.1 (VGG): x_c - Σ x_c / (N H W).

    Args:
        train: the split that the means are taken of.
    Raises:
        ValueError: if the split holds no images but plain numbers.
    """
    return Centre(standardise(train).mean)


def mean_image(train: Split) -> Centre:
    """Zero mean in each pixel of the training split: the mean image, C x H x W numbers, is subtracted.

    Krizhevsky et al. 2012, section 2 (AlexNet): x - Σ x / N.

    Args:
        train: the split that the mean is taken of.
    Raises:
        ValueError: if the split holds no images but plain numbers.
    """
    return Centre(mean_of(train).float())


def mean_of(train: Split) -> Tensor:
    """The mean image (1, C, H, W) in [0, 1], float64; summed in whole numbers.

    Raises:
        ValueError: if the split holds no images but plain numbers.
    """
    return pixels(train).sum(0, keepdim=True, dtype=torch.int64).double() / (255 * len(train))


def pixels(train: Split) -> Tensor:
    """The bytes (N, C, H, W) of a split of images.

    Raises:
        ValueError: if it holds none but plain numbers.
    """
    if train.images.dtype != torch.uint8:
        raise ValueError(
            "images are what is preprocessed, and this dataset's inputs are plain numbers; take dataset/preprocess=none"
        )
    return train.images
