"""Random squares of images, as masks."""

import torch
from torch import Tensor


def in_square(size: tuple[int, int], centres: Tensor, side: Tensor | int) -> Tensor:
    """Which pixels lie in a square around a pixel, as far as it lies in the image.

    Args:
        size: H, W in pixels.
        centres: (N, 2), row and column.
        side: pixels, an integer or an integral tensor (); an even square reaches one pixel less down and right.
    Returns:
        (N, 1, H, W), bool.
    """
    inside = []
    for extent, centre in zip(size, centres.unbind(1), strict=True):
        distance = torch.arange(extent, device=centres.device) - centre[:, None] + side // 2  # from the first row
        inside.append((distance >= 0) & (distance < side))  # (N, H), then (N, W)
    return (inside[0][:, :, None] & inside[1][:, None, :])[:, None]


def random_centres(count: int, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """(count, 2): pixels of an image of H, W, each as likely as any other."""
    draw = [torch.randint(extent, (count,), generator=generator, device=generator.device) for extent in size]
    return torch.stack(draw, 1)
