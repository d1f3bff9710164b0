"""The scale and the shift of a norm without its normalisation."""

import torch
from torch import Tensor, nn


class AffineOnly(nn.Module):
    """z = γ y + β for each channel; γ starts at 1 and β at 0."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def in_evaluation(self) -> tuple[Tensor, Tensor]:
        """γ and β, (C,), as which `folding` takes it in."""
        return self.weight, self.bias

    def forward(self, features: Tensor) -> Tensor:
        """(N, C) or (N, C, H, W) -> the same shape."""
        along_channels = [1, -1, *[1] * (features.ndim - 2)]
        return self.weight.view(along_channels) * features + self.bias.view(along_channels)


def affine_only(channels: int, spatial: bool) -> nn.Module:
    """Scale and shift each channel by what is learned, and normalise nothing:
        z = γ y + β
    the parameters of Ioffe & Szegedy 2015, arXiv:1502.03167, algorithm 1, last line, for telling what they do alone.

    Args:
        channels, spatial: as of `batch_norm`.
    Raises:
        ValueError: if channels is below 1.
    """
    if channels < 1:
        raise ValueError(f"affine_only: channels ({channels}) must be at least 1")
    return AffineOnly(channels)
