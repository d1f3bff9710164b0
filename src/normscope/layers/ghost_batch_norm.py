"""Batch normalisation over parts of the batch."""

import torch
from torch import Tensor, nn

from normscope.layers.batch_norm import check


class GhostBatchNorm(nn.modules.batchnorm._BatchNorm):
    """BatchNorm of each virtual batch for itself; in evaluation it is BatchNorm.

    The running averages take the statistics of one virtual batch after the other, as in algorithm 1 of the paper.
    """

    def __init__(self, channels: int, virtual_batch: int, *, eps: float, momentum: float, affine: bool) -> None:
        super().__init__(channels, eps=eps, momentum=momentum, affine=affine)
        self.virtual_batch = virtual_batch

    def forward(self, input: Tensor) -> Tensor:
        """(N, C) or (N, C, H, W) -> the same shape."""
        if not self.training:
            return super().forward(input)
        return torch.cat([super(GhostBatchNorm, self).forward(part) for part in input.split(self.virtual_batch)])

    def check_batch(self, batch_size: int) -> None:
        """Refuse a batch that does not consist of virtual batches.

        Raises:
            ValueError: that holds both sizes.
        """
        if batch_size % self.virtual_batch:
            raise ValueError(
                f"model.norm.virtual_batch ({self.virtual_batch}) must divide batch_size ({batch_size}); choose one "
                "that does, or model/norm=batch for the whole batch"
            )

    def _check_input_dim(self, input: Tensor) -> None:
        """Features and images alike."""


def ghost_batch_norm(
    channels: int, spatial: bool, *, virtual_batch: int, eps: float, momentum: float, affine: bool
) -> nn.Module:
    """Normalise each channel over a part of the batch, a virtual batch, as if the batch were no larger.

    Hoffer et al. 2017, arXiv:1705.08741, algorithm 1: BatchNorm over each virtual batch of so many images
    keeps the noise of small batches where the batch is large.

    Args:
        channels, spatial, eps, momentum, affine: as of `batch_norm`; momentum is applied once for each virtual batch.
        virtual_batch: images in a virtual batch, at least 2; it must divide the batch.
    Raises:
        ValueError: if a value is out of range; the message holds it.
    """
    check(channels, eps, momentum, name="ghost_batch_norm")
    if virtual_batch < 2:
        raise ValueError(
            f"ghost_batch_norm: virtual_batch ({virtual_batch}) must be at least 2, or nothing varies in it"
        )
    return GhostBatchNorm(channels, virtual_batch, eps=eps, momentum=momentum, affine=affine)
