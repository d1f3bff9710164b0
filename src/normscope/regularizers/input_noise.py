"""Noise on the images."""

import torch
from torch import Tensor


def input_noise(images: Tensor, targets: Tensor, generator: torch.Generator, *, std: float) -> tuple[Tensor, Tensor]:
    """Add Gaussian noise N(0, σ²) to every pixel of every channel.

    Bishop 1995, Neural Computation 7: for small σ the same as a penalty on how fast the network's answers change with
    the image. Noisy pixels may leave [0, 1]; cutting them off would move the mean of dark and bright places.

    Args:
        images: (N, C, H, W) in [0, 1].
        targets: returned as they are.
        generator: source of the randomness, on the images' device.
        std: σ, at least 0, in units of the range from black to white.
    Raises:
        ValueError: if std is negative.
    """
    if std < 0:
        raise ValueError(f"regularizer.input_noise: std ({std}) must be at least 0")
    noise = torch.randn(images.shape, generator=generator, device=images.device)
    return images + std * noise, targets
