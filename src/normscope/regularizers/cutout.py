"""Cutout: a square of each image without information."""

import torch
from torch import Tensor

from normscope.regularizers.squares import in_square, random_centres


def cutout(images: Tensor, targets: Tensor, generator: torch.Generator, *, side: int) -> tuple[Tensor, Tensor]:
    """Paint over a square around a random pixel of each image; near the border part of it lies outside.

    DeVries & Taylor 2017, arXiv:1708.04552, section 3.2. There the square is 0 in images whose mean has been
    subtracted; the preprocessing comes later here, so it has the batch's mean colour, which becomes about 0.

    Args:
        images: (N, C, H, W) in [0, 1].
        targets: returned as they are.
        generator: source of the randomness, on the images' device.
        side: pixels, at least 1.
    Raises:
        ValueError: if side is below 1.
    """
    if side < 1:
        raise ValueError(f"regularizer.cutout: side ({side}) must be at least 1 pixel")
    count, _, height, width = images.shape
    covered = in_square((height, width), random_centres(count, (height, width), generator), side)
    return torch.where(covered, images.mean((0, 2, 3), keepdim=True), images), targets
