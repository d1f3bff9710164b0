"""Batch normalisation that does not look at its batch."""

import torch
from torch import Tensor, nn

from normscope.layers.batch_norm import check
from normscope.layers.channels import all_but_channels, at_least_float32, line, on_line


class FrozenStatistics(nn.Module):
    """z = γ (y − M) / S + β with averages M and S that are constants for autograd, in training as in evaluation.

    Attributes:
        weight, bias: γ and β, (C,); None without affine.
        mean, size: M and S, (C,), 0 and 1 before the first batch. They are no mere record for the time after training,
            as running averages are, but part of what is trained.
        batches: how many they have seen.
        momentum: share of the newest batch.
    """

    mean: Tensor
    size: Tensor
    batches: Tensor
    needs_batch = True  # which the first statistics are taken of

    def __init__(self, channels: int, *, eps: float, momentum: float, affine: bool) -> None:
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("size", torch.ones(channels))
        self.register_buffer("batches", torch.tensor(0))

    def forward(self, features: Tensor) -> Tensor:
        """(N, C) or (N, C, H, W) -> the same shape and type."""
        if self.training:
            values = at_least_float32(features.detach())
            variance, mean = torch.var_mean(values, all_but_channels(values), correction=0)
            self._track(mean, (variance + self.eps).sqrt())
            # copies: autograd keeps what it multiplied by, and a later batch changes M and S in place
            return on_line(features, *line(self.mean.clone(), self.size.clone(), self.weight, self.bias))
        return on_line(features, *self.in_evaluation())

    def in_evaluation(self) -> tuple[Tensor, Tensor]:
        """a and b, (C,), of z = a y + b, as which an evaluation computes it."""
        return line(self.mean, self.size, self.weight, self.bias)

    def _track(self, mean: Tensor, size: Tensor) -> None:
        """Let the averages take the statistics of one more batch, without waiting for the device."""
        self.batches.add_(1)
        share = self.momentum + (1 - self.momentum) * (self.batches == 1)  # 1 for the first
        for average, newest in ((self.mean, mean), (self.size, size)):
            average.add_(share * (newest.to(average.dtype) - average))


def frozen_statistics(channels: int, spatial: bool, *, eps: float, momentum: float, affine: bool) -> nn.Module:
    """Normalise each channel by averages over the batches so far, which are constants when the gradient is taken.

        z = γ (y − M) / S + β,    M <- (1 − momentum) M + momentum mean y,    S alike of √(var y + ε)
    M and S begin as those of the first batch. With momentum 0 they stay so: BatchNorm's initial statistics, frozen.
    With a larger one they follow, and the network is trained as BatchNorm is evaluated (the population normalisation of
    Luo et al. 2019, arXiv:1809.00846). The gradient then does not know that mean and size depend on the weights: what
    Ioffe & Szegedy 2015, arXiv:1502.03167, section 2, warn of.

    Args:
        channels, spatial, affine: as of `batch_norm`.
        eps: ε, in units of variance.
        momentum: share of the newest batch in M and S, in [0, 1]; it is taken in before the batch is normalised.
    Raises:
        ValueError: if channels, eps or momentum is out of range; the message holds the value.
    """
    check(channels, eps, momentum, name="frozen_statistics")
    return FrozenStatistics(channels, eps=eps, momentum=momentum, affine=affine)
