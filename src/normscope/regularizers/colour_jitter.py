"""Brightness, contrast and colour that vary from image to image."""

import torch
from torch import Tensor


def colour_jitter(
    images: Tensor, targets: Tensor, generator: torch.Generator, *, brightness: float, contrast: float, colour: float
) -> tuple[Tensor, Tensor]:
    """Multiply each image's brightness, contrast and colour by factors from U(1 − a, 1 + a), each image its own.

    Howard 2013, arXiv:1312.5402, section 2, with the definitions of Pillow's ImageEnhance: an image is moved away
    from black, from its own mean grey, and from its grey copy, x <- reference + factor (x − reference), and cut off to
    [0, 1] each time. Grey is 0.299 R + 0.587 G + 0.114 B.

    Deviation: in this order always, there in a random one.

    Args:
        images: (N, C, H, W) in [0, 1]; colour needs C = 3.
        targets: returned as they are.
        generator: source of the randomness, on the images' device.
        brightness, contrast, colour: a of each, in [0, 1]; 0 leaves it as it is.
    Raises:
        ValueError: if an amount is out of range, or colour is to vary in images that have none.
    """
    amounts = (brightness, contrast, colour)
    if not all(0 <= amount <= 1 for amount in amounts):
        raise ValueError(
            f"regularizer.colour_jitter: brightness ({brightness}), contrast ({contrast}) and colour ({colour}) must "
            "lie within [0, 1]"
        )
    if colour and images.shape[1] != 3:
        raise ValueError(
            f"regularizer.colour_jitter: colour ({colour}) must be 0 for images of {images.shape[1]} channel(s); "
            "take regularizer=[brightness]"
        )
    draws = torch.rand((3, len(images), 1, 1, 1), generator=generator, device=images.device)
    bright, stark, vivid = (
        1 + amount * (2 * draw - 1) for amount, draw in zip(amounts, draws, strict=True)
    )  # (N, 1, 1, 1) each
    images = (images * bright).clamp(0, 1)
    mean = _grey(images).mean((2, 3), keepdim=True)
    images = (mean + stark * (images - mean)).clamp(0, 1)
    if not colour:
        return images, targets
    grey = _grey(images)
    return (grey + vivid * (images - grey)).clamp(0, 1), targets


def _grey(images: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, 1, H, W); images of other than three channels by their mean."""
    if images.shape[1] != 3:
        return images.mean(1, keepdim=True)
    red, green, blue = images.split(1, 1)
    return 0.299 * red + 0.587 * green + 0.114 * blue
