"""Group normalisation."""

from math import gcd

from torch import nn


def group_norm(channels: int, spatial: bool, *, groups: int, eps: float, affine: bool) -> nn.Module:
    """Normalise each group of channels of each image by its mean and variance, then scale and shift each channel.

    Wu & He 2018, arXiv:1803.08494, equation 7; with μ and σ² over the (C/G) * H * W values of one image and group:
        z = γ (y − μ) / √(σ² + ε) + β
    One group is layer normalisation, a group for each channel is instance normalisation. No image knows of the
    others, and training and evaluation compute the same.

    Args:
        channels: C, at least 1.
        spatial: True for (N, C, H, W), False for (N, C).
        groups: G, must divide the channels; 32 in the paper. Of features a group must hold at least 2.
        eps: ε, in units of variance.
        affine: whether γ (starts at 1) and β (starts at 0) are there and learned.
    Raises:
        ValueError: if groups does not fit the channels or eps is out of range; the message holds the values.
    """
    if groups < 1 or channels % groups:
        fits = gcd(max(groups, 1), channels)
        raise ValueError(f"group_norm: groups ({groups}) must divide channels ({channels}); try {fits}")
    if not spatial and groups == channels:
        raise ValueError(
            f"group_norm: groups ({groups}) of as many features hold one value each, and its own mean is all it has; "
            "take fewer groups"
        )
    if eps <= 0:
        raise ValueError(f"group_norm: eps ({eps}) must be positive, or a constant group divides by 0; try 1e-5")
    return nn.GroupNorm(groups, channels, eps=eps, affine=affine)
