"""What norms of our own share: statistics and factors of each channel beside values of many."""

import torch
from torch import Tensor


def all_but_channels(values: Tensor) -> list[int]:
    """The axes of the batch and of space."""
    return [axis for axis in range(values.ndim) if axis != 1]


def along_channels(channels: Tensor, values: Tensor) -> Tensor:
    """(C,) -> (1, C) or (1, C, 1, 1), to be broadcast over the values, in their type."""
    return channels.to(values.dtype).view(1, -1, *[1] * (values.ndim - 2))


def at_least_float32(values: Tensor) -> Tensor:
    """bfloat16 -> float32, in which sums over a batch are taken; other types as they are."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def line(mean: Tensor, size: Tensor, gamma: Tensor | None, beta: Tensor | None) -> tuple[Tensor, Tensor]:
    """a and b of γ (y − mean) / size + β = a y + b, all (C,); None stands for γ = 1 and β = 0."""
    slope = 1 / size if gamma is None else gamma / size
    shift = -slope * mean
    return slope, shift if beta is None else shift + beta


def on_line(features: Tensor, slope: Tensor, shift: Tensor) -> Tensor:
    """a y + b of each channel, in the shape and type of the features (N, C) or (N, C, H, W)."""
    values = at_least_float32(features)
    return (values * along_channels(slope, values) + along_channels(shift, values)).to(features.dtype)
