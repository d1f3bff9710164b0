"""From a map of features to one vector an image."""

from torch import Tensor, nn


class GlobalAverage(nn.Module):
    """Average every channel over space: (N, C, H, W) -> (N, C). Lin et al. 2014, arXiv:1312.4400, section 3.2.

    A map of 1x1 is passed on as a view, without arithmetic.
    """

    def forward(self, features: Tensor) -> Tensor:
        if features.shape[2:] == (1, 1):
            return features.flatten(1)
        return features.mean((2, 3))
