"""Residual networks whose branches begin at zero."""

import torch
from torch import Tensor, nn

from normscope.models.residual_block import blocks_of


class Scale(nn.Module):
    """y = α x with one learned number."""

    def __init__(self, initial: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(float(initial)))

    def forward(self, features: Tensor) -> Tensor:
        """Any shape -> the same, in its type."""
        return features * self.weight.to(features.dtype)


def skip_init(network: nn.Sequential, *, initial: float) -> nn.Sequential:
    """Multiply the end of every residual branch by one learned number.

    De & Smith 2020, arXiv:2002.10444, SkipInit:
        x_{l+1} = shortcut(x_l) + α_l branch(x_l)
    With α = 0 at first every block is its shortcut, as BatchNorm makes deep branches small at initialisation.

    Deviation: the paper's networks put the activation first in a branch, so that a block begins as the identity; in
    those of this model the activation after the addition stays.

    Args:
        network: of residual blocks.
        initial: α at the start; 0 in the paper, 1/√blocks its other choice that trains.
    Returns:
        The network, each block with a child `scale`; changed in place.
    """
    for block in blocks_of(network).values():
        block.end_branch_with("scale", Scale(initial))
    return network
