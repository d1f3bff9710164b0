"""The rectifier whose slope is learned."""

from math import sqrt

import torch
from torch import nn


class PReLU(nn.PReLU):
    """max(0, x) + a min(0, x) with a learned, one of the layer or one of each channel.

    He et al. 2015, arXiv:1502.01852, equation 1, "channel-shared" or "channel-wise". Decays and penalties leave a
    alone, as there: they would pull it towards ReLU.

    Args:
        init: a at first; 0.25 in the paper.
        channel_wise: whether every channel has an a of its own, `weight` (C,), once `fit` has told how many there are.
    """

    def __init__(self, *, init: float, channel_wise: bool) -> None:
        super().__init__(1, init)
        self.channel_wise = channel_wise

    def fit(self, channels: int) -> None:
        """Take as many slopes as there are channels, if each is to have its own."""
        if self.channel_wise:
            self.num_parameters = channels
            self.weight = nn.Parameter(torch.full((channels,), self.init))

    @property
    def gain(self) -> float:
        """√(2 / (1 + a²)), a² averaged over the channels: He et al. 2015, equation 15."""
        return sqrt(2 / (1 + self.weight.detach().square().mean().item()))

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}, init={self.init}"
