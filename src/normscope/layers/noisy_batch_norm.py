"""Batch normalisation whose outputs are shifted and scaled at random, anew at every step."""

from torch import Tensor, nn

from normscope.layers.batch_norm import check
from normscope.layers.noise import Disturbance, Noise, checked


class NoisyBatchNorm(nn.modules.batchnorm._BatchNorm):
    """BatchNorm, its outputs passed through `noise.noisy` in training. In evaluation it is BatchNorm.

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
    """BatchNorm followed by noise that brings a covariate shift back, see `noise.noisy`.

    Args:
        channels, spatial, eps, momentum, affine: as of `batch_norm`.
        n_mu, n_sigma, r_mu, r_sigma: as of `noise`.
    Raises:
        ValueError: if a value is out of range; the message holds it.
    """
    check(channels, eps, momentum, name="noisy_batch_norm")
    widths = checked(n_mu, n_sigma, r_mu, r_sigma, name="noisy_batch_norm")
    return NoisyBatchNorm(channels, widths, eps=eps, momentum=momentum, affine=affine)
