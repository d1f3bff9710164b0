"""Images that are mixed of two, with the answers mixed alike."""

import torch
from torch import Tensor

from normscope.regularizers.squares import in_square, random_centres


def mixup(images: Tensor, targets: Tensor, generator: torch.Generator, *, alpha: float) -> tuple[Tensor, Tensor]:
    """Blend each image and its target with those of its neighbour in the batch, whose order is random.

        x <- λ x + (1 − λ) x',   t <- λ t + (1 − λ) t',   λ ~ Beta(α, α), one draw for the batch

    Zhang et al. 2018, arXiv:1710.09412, figure 1a.

    Args:
        images: (N, C, H, W) in [0, 1].
        targets: (N, K) probabilities.
        generator: source of the randomness, on the images' device.
        alpha: α, positive; 1 draws λ evenly, less mixes less.
    Raises:
        ValueError: if alpha is not positive, or if there is one image only.
    """
    _check("mixup", alpha, len(images))
    share = _beta(alpha, generator)
    return share * images + (1 - share) * images.roll(1, 0), share * targets + (1 - share) * targets.roll(1, 0)


def cutmix(images: Tensor, targets: Tensor, generator: torch.Generator, *, alpha: float) -> tuple[Tensor, Tensor]:
    """Paste a square of the neighbour in the batch over each image, and mix the targets by the area that it covers.

        side = H √(1 − λ),   λ ~ Beta(α, α);   t <- (1 − a) t + a t',   a the share of pixels pasted over

    Yun et al. 2019, arXiv:1905.04899, equations 1 and 2 and algorithm A1. One square for the batch, around a random
    pixel; near the border part of it lies outside, and a counts what lies inside.

    Args:
        images: (N, C, H, H) in [0, 1].
        targets: (N, K) probabilities.
        generator: source of the randomness, on the images' device.
        alpha: α, positive; 1 draws λ evenly.
    Raises:
        ValueError: if alpha is not positive, or if there is one image only.
    """
    _check("cutmix", alpha, len(images))
    height, width = images.shape[2:]
    side = (height * (1 - _beta(alpha, generator)).sqrt()).long()
    pasted = in_square((height, width), random_centres(1, (height, width), generator), side)  # (1, 1, H, W)
    area = pasted.float().mean()
    mixed = torch.where(pasted, images.roll(1, 0), images)
    return mixed, (1 - area) * targets + area * targets.roll(1, 0)


def _beta(alpha: float, generator: torch.Generator) -> Tensor:
    """A draw () from Beta(α, α), by two gamma variables, on the generator's device."""
    concentration = torch.full((2,), alpha, device=generator.device)
    return torch._sample_dirichlet(concentration, generator)[0]


def _check(name: str, alpha: float, count: int) -> None:
    if not alpha > 0:
        raise ValueError(f"regularizer.{name}: alpha ({alpha}) must be positive; leave {name} out to mix nothing")
    if count < 2:
        raise ValueError(f"regularizer.{name}: a batch of {count} image has no second one to mix in; use batch_size=2")
