"""Stochastic depth: residual branches that are left out at random."""

import torch
from torch import Tensor, nn


def survival_rate(index: int, number: int, last: float) -> float:
    """The probability that a branch is kept, which falls linearly with depth.

        p_l = 1 − (l / L) (1 − p_L)

    Huang et al. 2016, arXiv:1603.09382, equation 4.

    Args:
        index: l − 1, of the branch, from 0.
        number: L, of branches.
        last: p_L, in (0, 1].
    Raises:
        ValueError: if last is outside (0, 1].
    """
    if not 0 < last <= 1:
        raise ValueError(f"regularizer.stochastic_depth: last ({last}), p of the last branch, must lie within (0, 1]")
    return 1 - (index + 1) / number * (1 - last)


class StochasticDepth(nn.Module):
    """The end of a residual branch f that is kept with probability p in training, and weakened to p f in evaluation.

    Huang et al. 2016, arXiv:1603.09382, equations 2 and 5: one draw for the whole mini-batch, from PyTorch's generator
    of the device. A branch that is left out has a gradient of 0.

    Deviation: the branch is computed and multiplied by 0, so that a step does the same work every time (and can be
    captured as one graph): it saves no time, and the running statistics of its norms move also when it is left out.

    Args:
        index: of the branch, from 0.
        number: of branches.
        last: see `survival_rate`.
    """

    def __init__(self, index: int, number: int, *, last: float) -> None:
        super().__init__()
        self.survival = survival_rate(index, number, last)

    def forward(self, inputs: Tensor) -> Tensor:
        """The branch's outputs, of any shape."""
        if not self.training:
            return self.survival * inputs
        return inputs * (torch.rand((), device=inputs.device) < self.survival)

    def extra_repr(self) -> str:
        return f"survival={self.survival:.4g}"
