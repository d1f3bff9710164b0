"""Noise that shifts and scales the channels of a layer at random, anew at every step."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn


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
    shift = mu + noise.r_mu * (2 * _drawn(torch.rand, values) - 1)
    scale = sigma + noise.r_sigma * _drawn(torch.randn, values)
    return scale.to(values.dtype) * values + shift.to(values.dtype)


def _drawn(draw: Callable[..., Tensor], values: Tensor) -> Tensor:
    """A random number for each value, the same in either layout of memory: in the order of channels-last, which a CPU
    fills nine times as fast as `torch.randn_like` does a tensor of that layout."""
    channels_last = values.movedim(1, -1).shape
    return draw(channels_last, device=values.device, dtype=torch.float32).movedim(-1, 1)


class Disturbance(nn.Module):
    """`noisy` in training, nothing in evaluation."""

    def __init__(self, noise: Noise) -> None:
        super().__init__()
        self.noise = noise

    def forward(self, values: Tensor) -> Tensor:
        """(N, C) or (N, C, H, W) -> the same shape and type."""
        return noisy(values, self.noise) if self.training else values


def noise(channels: int, spatial: bool, *, n_mu: float, n_sigma: float, r_mu: float, r_sigma: float) -> nn.Module:
    """The noise of noisy BatchNorm in the place of a norm, and no norm: see `noisy`.

    Santurkar et al. 2018, arXiv:1805.11604, section 2.2: in the standard network it "prevents it from training
    entirely". Where in it, and against which scale of the activations, the paper does not say; here it acts where a
    norm would, in the units of what is there.

    Args:
        channels, spatial: as of `batch_norm`; neither matters.
        n_mu, n_sigma: bounds of a channel's mean (at least 0) and of its scale (at least 1).
        r_mu, r_sigma: half width and standard deviation of the values around them, at least 0.
    Raises:
        ValueError: if a value is out of range; the message holds it.
    """
    return Disturbance(checked(n_mu, n_sigma, r_mu, r_sigma, name="noise"))


def checked(n_mu: float, n_sigma: float, r_mu: float, r_sigma: float, *, name: str) -> Noise:
    """The widths, if all are in range.

    Raises:
        ValueError: if one is not; the message holds the norm's name and the value.
    """
    if n_mu < 0 or r_mu < 0 or r_sigma < 0:
        raise ValueError(
            f"{name}: n_mu ({n_mu}), r_mu ({r_mu}) and r_sigma ({r_sigma}) must be at least 0; the paper has 0.5, 0.1 "
            "and 0.1"
        )
    if n_sigma < 1:
        raise ValueError(
            f"{name}: n_sigma ({n_sigma}) must be at least 1, the scale being drawn from [1, n_sigma]; the paper has "
            "1.25"
        )
    return Noise(n_mu, n_sigma, r_mu, r_sigma)
