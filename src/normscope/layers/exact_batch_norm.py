"""Batch normalisation as an equation, for checks that are exact."""

import torch
from torch import Tensor


def exact_batch_norm(values: Tensor, gamma: Tensor, beta: Tensor, *, eps: float = 0.0) -> Tensor:
    """Normalise each channel by its mean and variance over the batch, then scale and shift it.

    Ioffe & Szegedy 2015, arXiv:1502.03167, algorithm 1:
        z = γ (y − μ_B) / √(σ²_B + ε) + β
    in plain operations that can be differentiated as often as one likes. What is proved of BatchNorm is proved at
    ε = 0, which PyTorch's own refuses. There are no running averages.

    Args:
        values: y, (N, C) or (N, C, ...); the variance is the biased one, over all axes but that of the channels.
        gamma, beta: (C,).
        eps: ε, in units of variance, at least 0; at 0 a constant channel becomes nan.
    Returns:
        z, in the shape of `values`.
    Raises:
        ValueError: if eps is negative or there are no channels to tell apart; the message holds the value.
    """
    if eps < 0:
        raise ValueError(f"exact_batch_norm: eps ({eps}) must be at least 0")
    if values.ndim < 2 or gamma.shape != values.shape[1:2] or beta.shape != gamma.shape:
        raise ValueError(
            f"exact_batch_norm: values {tuple(values.shape)} must be (N, C, ...), and gamma {tuple(gamma.shape)} and "
            f"beta {tuple(beta.shape)} (C,)"
        )
    axes = [axis for axis in range(values.ndim) if axis != 1]
    along_channels = [1, -1, *[1] * (values.ndim - 2)]
    variance, mean = torch.var_mean(values, axes, correction=0, keepdim=True)
    normalised = (values - mean) / (variance + eps).sqrt()
    return gamma.view(along_channels) * normalised + beta.view(along_channels)
