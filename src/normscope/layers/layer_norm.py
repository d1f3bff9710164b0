"""Layer normalisation."""

from torch import nn


def layer_norm(channels: int, spatial: bool, *, eps: float, affine: bool) -> nn.Module:
    """Normalise each image by the mean and variance of all its values, then scale and shift each channel.

    Ba et al. 2016, arXiv:1607.06450, equation 3; with μ and σ² over the C features of an image, or its C * H * W:
        z = γ (y − μ) / √(σ² + ε) + β
    No image knows of the others, and training and evaluation compute the same.

    Deviation: after a convolution γ and β are one number a channel, as with BatchNorm, not one a pixel.

    Args:
        channels: C, at least 1; for features at least 2, since one value is its own mean.
        spatial: True for (N, C, H, W), False for (N, C).
        eps: ε, in units of variance.
        affine: whether γ (starts at 1) and β (starts at 0) are there and learned.
    Raises:
        ValueError: if channels or eps is out of range; the message holds the value.
    """
    if channels < (1 if spatial else 2):
        raise ValueError(f"layer_norm: channels ({channels}) of features must be at least 2; raise model.width")
    if eps <= 0:
        raise ValueError(f"layer_norm: eps ({eps}) must be positive, or a constant layer divides by 0; try 1e-5")
    if spatial:
        return nn.GroupNorm(1, channels, eps=eps, affine=affine)
    return nn.LayerNorm(channels, eps=eps, elementwise_affine=affine)
