"""Batch normalisation."""

from torch import nn


def batch_norm(channels: int, spatial: bool, *, eps: float, momentum: float, affine: bool) -> nn.Module:
    """Normalise each channel by its mean and variance over the batch, then scale and shift it.

    Ioffe & Szegedy 2015, arXiv:1502.03167, algorithm 1, and section 3.2 for images; m is N for features (N, C) and
    N * H * W for images (N, C, H, W):
        μ_B = (1/m) Σ x,    σ²_B = (1/m) Σ (x − μ_B)²,    y = γ (x − μ_B) / √(σ²_B + ε) + β
    At test time μ and σ² are averages kept in training: running <- (1 − momentum) running + momentum * batch.

    Deviation: the paper averages over training batches after training (algorithm 2); as in every framework it is an
    exponential average during training. Both take the variance unbiased, m/(m − 1) σ²_B, there and only there.

    Args:
        channels: C, at least 1.
        spatial: True after a convolution, for (N, C, H, W); False after a matrix product, for (N, C).
        eps: ε, in units of variance.
        momentum: share of the newest batch in the running averages, in [0, 1].
        affine: whether γ (starts at 1) and β (starts at 0) are there and learned.
    Returns:
        A module that keeps the shape of its input; `weight` is γ, `bias` is β, both None without affine.
    Raises:
        ValueError: if channels, eps or momentum is out of range; the message holds the value.
    """
    check(channels, eps, momentum, name="batch_norm")
    normalise = nn.BatchNorm2d if spatial else nn.BatchNorm1d
    return normalise(channels, eps=eps, momentum=momentum, affine=affine)


def check(channels: int, eps: float, momentum: float, *, name: str) -> None:
    """Refuse what no norm over the batch can work with.

    Raises:
        ValueError: if channels, eps or momentum is out of range; the message holds the norm's name and the value.
    """
    if channels < 1:
        raise ValueError(f"{name}: channels ({channels}) must be at least 1")
    if eps <= 0:
        raise ValueError(f"{name}: eps ({eps}) must be positive, or a constant channel divides by 0; try 1e-5")
    if not 0 <= momentum <= 1:
        raise ValueError(f"{name}: momentum ({momentum}) must lie in [0, 1]; PyTorch's own is 0.1")
