"""Random crops and mirror images of a whole batch at once."""

import torch
from torch import Tensor
from torch.nn import functional as F


def crop_flip(
    images: Tensor, targets: Tensor, generator: torch.Generator, *, padding: int, flip: float
) -> tuple[Tensor, Tensor]:
    """Shift each image by up to `padding` pixels, filling with black, and mirror it with probability `flip`.

    The standard augmentation of CIFAR-10 (He et al. 2016, arXiv:1512.03385, section 4.2): pad by 4, crop at random,
    flip at random. One gather for the whole batch, on the device of the images; the distribution is that of
    torchvision's RandomCrop(H, padding) and RandomHorizontalFlip(flip), each image drawn independently.

    Args:
        images: (N, C, H, W) in [0, 1].
        targets: returned as they are.
        generator: source of the randomness, on the images' device.
        padding: pixels, at least 0.
        flip: probability.
    Raises:
        ValueError: if padding is negative or flip is no probability.
    """
    if padding < 0 or not 0 <= flip <= 1:
        raise ValueError(
            f"regularizer.crop_flip: padding ({padding}) must be at least 0 pixels and flip ({flip}) within [0, 1]"
        )
    count, _, height, width = images.shape
    device = images.device
    rows = torch.randint(2 * padding + 1, (count, 1), generator=generator, device=device)
    columns = torch.randint(2 * padding + 1, (count, 1), generator=generator, device=device)
    mirrored = torch.rand((count, 1), generator=generator, device=device) < flip

    down = torch.arange(height, device=device)
    across = torch.arange(width, device=device)
    rows = rows + down  # (N, H): row of the padded image that lands in each row
    columns = columns + torch.where(mirrored, across.flip(0), across)  # (N, W)
    padded = F.pad(images, (padding,) * 4).permute(0, 2, 3, 1)  # (N, H+2p, W+2p, C)
    image = torch.arange(count, device=device)[:, None, None]
    cropped = padded[image, rows[:, :, None], columns[:, None, :]]  # (N, H, W, C)
    return cropped.permute(0, 3, 1, 2), targets
