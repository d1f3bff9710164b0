"""Normalisation by the average l_p norm of the values, in place of their standard deviation."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from normscope.layers.batch_norm import check
from normscope.layers.channels import all_but_channels, at_least_float32, line, on_line

Size = Callable[[Tensor, float], Tensor]  # (values, eps) -> how large the values of each channel are, (C,)


def mean_absolute(values: Tensor, eps: float) -> Tensor:
    """N_1 = mean |y| + ε of each channel: (N, C, ...) -> (C,)."""
    return values.abs().mean(all_but_channels(values)) + eps


def root_mean_square(values: Tensor, eps: float) -> Tensor:
    """N_2 = √(mean y² + ε²) of each channel: (N, C, ...) -> (C,); ε stands inside, where a root of 0 has a slope."""
    return (values.square().mean(all_but_channels(values)) + eps**2).sqrt()


def largest_absolute(values: Tensor, eps: float) -> Tensor:
    """N_∞ = max |y| + ε of each channel: (N, C, ...) -> (C,)."""
    return values.abs().amax(all_but_channels(values)) + eps


class LpNorm(nn.Module):
    """z = γ (y − mean y) / N_p(y) + β, and in evaluation the same by running averages of mean y and of N_p(y).

    Attributes:
        weight, bias: γ and β, (C,); None without affine.
        running_mean, running_size: the averages, (C,), 0 and 1 at first.
        num_batches_tracked: how many batches they have seen.
        momentum: share of the newest batch; None for the plain mean over the batches, as with PyTorch's BatchNorm.
    """

    running_mean: Tensor
    running_size: Tensor
    num_batches_tracked: Tensor
    needs_batch = True  # of one image alone there is nothing to be normalised over

    def __init__(self, channels: int, size: Size, *, eps: float, momentum: float | None, affine: bool) -> None:
        super().__init__()
        self.size, self.eps, self.momentum = size, eps, momentum
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_size", torch.ones(channels))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, features: Tensor) -> Tensor:
        """(N, C) or (N, C, H, W) -> the same shape and type; the statistics are differentiated through."""
        if not self.training:
            return on_line(features, *self.in_evaluation())
        values = at_least_float32(features)
        mean, size = values.mean(all_but_channels(values)), self.size(values, self.eps)
        self._track(mean.detach(), size.detach())
        return on_line(features, *line(mean, size, self.weight, self.bias))

    def in_evaluation(self) -> tuple[Tensor, Tensor]:
        """a and b, (C,), of z = a y + b, as which an evaluation computes it."""
        return line(self.running_mean, self.running_size, self.weight, self.bias)

    def _track(self, mean: Tensor, size: Tensor) -> None:
        """Let the averages take the statistics of one more batch, without waiting for the device."""
        self.num_batches_tracked.add_(1)
        share = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
        for average, newest in ((self.running_mean, mean), (self.running_size, size)):
            average.add_(share * (newest.to(average.dtype) - average))


def l1_norm(channels: int, spatial: bool, *, eps: float, momentum: float, affine: bool) -> nn.Module:
    """Remove the mean of each channel and divide by the mean of the absolute values that it had before.

    Santurkar et al. 2018, arXiv:1805.11604, section 3.3, which says "the average l_p norm before the mean is
    subtracted", and no formula:
        z = γ (y − mean y) / N_1(y) + β,    N_1(y) = mean |y|
    over the batch and space. How a network is evaluated is not said: here by running averages of mean y and N_1(y),
    as BatchNorm is. γ and β are not mentioned either; here they are as in BatchNorm.

    Args:
        channels, spatial, momentum, affine: as of `batch_norm`.
        eps: ε, in units of the values, added to N_1.
    Raises:
        ValueError: if channels, eps or momentum is out of range; the message holds the value.
    """
    check(channels, eps, momentum, name="l1_norm")
    return LpNorm(channels, mean_absolute, eps=eps, momentum=momentum, affine=affine)


def l2_norm(channels: int, spatial: bool, *, eps: float, momentum: float, affine: bool) -> nn.Module:
    """Remove the mean of each channel and divide by the root mean square that it had before; else as `l1_norm`:
        z = γ (y − mean y) / N_2(y) + β,    N_2(y) = √(mean y² + ε²)
    BatchNorm divides by the root mean square that is left afterwards.

    Args, Raises: as of `l1_norm`.
    """
    check(channels, eps, momentum, name="l2_norm")
    return LpNorm(channels, root_mean_square, eps=eps, momentum=momentum, affine=affine)


def l_infinity_norm(channels: int, spatial: bool, *, eps: float, momentum: float, affine: bool) -> nn.Module:
    """Remove the mean of each channel and divide by the largest absolute value that it had before; else as `l1_norm`:
        z = γ (y − mean y) / N_∞(y) + β,    N_∞(y) = max |y|

    Args, Raises: as of `l1_norm`.
    """
    check(channels, eps, momentum, name="l_infinity_norm")
    return LpNorm(channels, largest_absolute, eps=eps, momentum=momentum, affine=affine)
