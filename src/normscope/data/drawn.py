"""Some images of many."""

import torch
from torch import Tensor


def drawn(images: Tensor, count: int, seed: int) -> Tensor:
    """`count` different images, drawn at random.

    Args:
        images: (N, C, H, W).
        count: at most N.
        seed: of the draw.
    Returns:
        (count, C, H, W).
    Raises:
        ValueError: if there are not that many; the message holds both numbers.
    """
    if count > len(images):
        raise ValueError(f"images ({count}) must be at most the {len(images)} of the training split")
    return images[torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))[:count]]
