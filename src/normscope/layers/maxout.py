"""The largest of several linear functions."""

from functools import reduce
from math import pi, sqrt

import torch
from torch import Tensor, nn


def maxout(inputs: Tensor, pieces: int) -> Tensor:
    """The largest of a unit's linear pieces.

    Goodfellow et al. 2013, arXiv:1302.4389, section 3:
        h_i = max_j z_ij,    z_ij = x · W_ij + b_ij

    Args:
        inputs: z, (N, pieces * C) or (N, pieces * C, H, W); piece j of channel i is channel j C + i.
        pieces: k, which divides the number of channels.
    Returns:
        h, (N, C) or (N, C, H, W).
    """
    return reduce(torch.maximum, inputs.chunk(pieces, dim=1))


class Maxout(nn.Module):
    """`maxout` behind a layer that puts out `pieces` times as many channels and has as many times the weights.

    Args:
        pieces: k, at least 2.
    Raises:
        ValueError: if pieces is less than 2; the message holds it.
    """

    def __init__(self, pieces: int) -> None:
        super().__init__()
        if pieces < 2:
            raise ValueError(
                f"model.activation.pieces ({pieces}) of maxout must be at least 2; 1 is model/activation=identity"
            )
        self.pieces = pieces

    def forward(self, inputs: Tensor) -> Tensor:
        return maxout(inputs, self.pieces)

    @property
    def gain(self) -> float:
        """1 / √(E h²) for pieces that are independent and N(0, 1): 1 for two of them, less for more."""
        x = torch.linspace(-12, 12, 24_001, dtype=torch.float64)
        density = torch.exp(-x.square() / 2) / sqrt(2 * pi)
        largest = self.pieces * density * torch.special.ndtr(x) ** (self.pieces - 1)
        return 1 / sqrt(torch.trapezoid(x.square() * largest, x).item())

    def extra_repr(self) -> str:
        return f"pieces={self.pieces}"
