"""Instance normalisation."""

from torch import nn


def instance_norm(channels: int, spatial: bool, *, eps: float, affine: bool) -> nn.Module:
    """Normalise each channel of each image by its mean and variance over space, then scale and shift it.

    Ulyanov et al. 2016, arXiv:1607.08022, section 2; with μ and σ² over the H * W values of one image and channel:
        z = γ (y − μ) / √(σ² + ε) + β
    No image knows of the others, and training and evaluation compute the same.

    Args:
        channels: C, at least 1.
        spatial: must be True: a feature of an image without space is one value.
        eps: ε, in units of variance.
        affine: whether γ (starts at 1) and β (starts at 0) are there and learned.
    Raises:
        ValueError: if spatial is False, or channels or eps is out of range; the message holds the value.
    """
    if not spatial:
        raise ValueError(
            "instance_norm: features (N, C) have no space to normalise over; take model/norm=layer for fully connected "
            "layers, or a model whose hidden layers are convolutions"
        )
    if channels < 1:
        raise ValueError(f"instance_norm: channels ({channels}) must be at least 1")
    if eps <= 0:
        raise ValueError(f"instance_norm: eps ({eps}) must be positive, or a constant channel divides by 0; try 1e-5")
    return nn.InstanceNorm2d(channels, eps=eps, affine=affine)
