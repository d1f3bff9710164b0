"""Batch normalisation whose outputs are shifted and scaled at random, anew at every step."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from normscope.layers.batch_norm import check


class Noise(NamedTuple):
    """Widths of the noise: of the distributions of a channel's mean and scale, and of its values around them."""

    n_mu: float
    n_sigma: float
    r_mu: float
    r_sigma: float


def noisy(values: Tensor, noise: Noise) -> Tensor:
    """Scale and shift every value by random numbers whose own distribution is drawn anew for each channel.

    Santurkar et al. 2018, arXiv:1805.11604, algorithm 1. For each channel j, once a call,
        μ_j ~ U(−n_μ, n_μ),    σ_j ~ U(1, n_σ)
    and for each value i of the channel
        m_ij ~ U(μ_j − r_μ, μ_j + r_μ),    s_ij ~ N(σ_j, r_σ²),    a_ij <- s_ij a_ij + m_ij

    The paper does not say whether r_σ is a standard deviation or a variance; here it is the standard deviation.

    Args:
        values: a, (N, C) or (N, C, H, W); space counts as batch.
        noise: n_μ, n_σ, r_μ and r_σ; drawn in float32 whatever the type of the values, so that a probe in another
            type replays the same.
    Returns:
        The noisy values, in the shape and type of `values`; for autograd s and m are constants.
    """
    per_channel = [1, values.shape[1], *[1] * (values.ndim - 2)]
    mu, sigma = torch.rand(2, *per_channel, device=values.device)
    mu, sigma = noise.n_mu * (2 * mu - 1), 1 + (noise.n_sigma - 1) * sigma
    shift = mu + noise.r_mu * (2 * torch.rand_like(values, dtype=torch.float32) - 1)
    scale = sigma + noise.r_sigma * torch.randn_like(values, dtype=torch.float32)
    return scale.to(values.dtype) * values + shift.to(values.dtype)


class Disturbance(nn.Module):
    """`noisy` in training, nothing in evaluation."""

    def __init__(self, noise: Noise) -> None:
        super().__init__()
        self.noise = noise

    def forward(self, values: Tensor) -> Tensor:
        """(N, C) or (N, C, H, W) -> the same shape and type."""
        return noisy(values, self.noise) if self.training else values


class NoisyBatchNorm(nn.modules.batchnorm._BatchNorm):
    """BatchNorm, its outputs passed through `noisy` in training. In evaluation it is BatchNorm.

    The paper shows training accuracy only and does not say what happens at test time: here the noise is off. It is a
    child of its own, so that BatchNorm can normalise by a batch without it.
    """

    def __init__(self, channels: int, noise: Noise, *, eps: float, momentum: float, affine: bool) -> None:
        super().__init__(channels, eps=eps, momentum=momentum, affine=affine)
        self.disturbance = Disturbance(noise)

    def forward(self, input: Tensor) -> Tensor:
        """(N, C) or (N, C, H, W) -> the same shape."""
        disturbed: Tensor = self.disturbance(super().forward(input))
        return disturbed

    def _check_input_dim(self, input: Tensor) -> None:
        """Features and images alike."""


def noisy_batch_norm(
    channels: int,
    spatial: bool,
    *,
    n_mu: float,
    n_sigma: float,
    r_mu: float,
    r_sigma: float,
    eps: float,
    momentum: float,
    affine: bool,
) -> nn.Module:
    """BatchNorm followed by noise that brings a covariate shift back, see `noisy`.

    Args:
        channels, spatial, eps, momentum, affine: as of `batch_norm`.
        n_mu, n_sigma: bounds of a channel's mean (at least 0) and of its scale (at least 1).
        r_mu, r_sigma: half width and standard deviation of the values around them, at least 0.
    Raises:
        ValueError: if a value is out of range; the message holds it.
    """
    check(channels, eps, momentum, name="noisy_batch_norm")
    if n_mu < 0 or r_mu < 0 or r_sigma < 0:
        raise ValueError(
            f"noisy_batch_norm: n_mu ({n_mu}), r_mu ({r_mu}) and r_sigma ({r_sigma}) must be at least 0; the paper "
            "has 0.5, 0.1 and 0.1"
        )
    if n_sigma < 1:
        raise ValueError(
            f"noisy_batch_norm: n_sigma ({n_sigma}) must be at least 1, the scale being drawn from [1, n_sigma]; the "
            "paper has 1.25"
        )
    return NoisyBatchNorm(channels, Noise(n_mu, n_sigma, r_mu, r_sigma), eps=eps, momentum=momentum, affine=affine)
