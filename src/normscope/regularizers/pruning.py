"""Pruning: the smallest weights are set to 0 for good."""

from typing import Any

import torch
from torch import Tensor, nn

from normscope.regularizers.rules import Course, TrainingRule, Weights


def sparsity_at(progress: float, final: float) -> float:
    """The share of the weights that is 0, which grows fast at first.

        s = s_f (1 − (1 − x)³),   x from 0 to 1 while pruning goes on

    Zhu & Gupta 2017, arXiv:1710.01878, equation 1, with s_i = 0.
    """
    return final * (1 - (1 - min(max(progress, 0.0), 1.0)) ** 3)


class MagnitudePruning(TrainingRule):
    """Set the smallest weights of every layer to 0 in growing number, and keep them there.

    Zhu & Gupta 2017, arXiv:1710.01878, section 3, with Han et al. 2015, arXiv:1506.02626, whose single pruning is
    start = end. Each layer, the classifier too, loses the same share of its weights; biases and norms lose none. A
    frozen layer loses none as long as it is frozen.

    Args:
        sparsity: share of a layer's weights that are 0 in the end, in [0, 1).
        start, end: shares of the run, 0 <= start <= end <= 1, between which weights are taken away.
        every: updates from one pruning to the next, at least 1.
    Raises:
        ValueError: if a value is out of range.
    """

    def __init__(self, *, sparsity: float, start: float, end: float, every: int) -> None:
        if not 0 <= sparsity < 1 or not 0 <= start <= end <= 1 or every < 1:
            raise ValueError(
                f"sparsity ({sparsity}) must lie within [0, 1), 0 <= start ({start}) <= end "
                f"({end}) <= 1 and every ({every}) be at least 1 update"
            )
        self.sparsity, self.start, self.end, self.every = sparsity, start, end, every
        self.first, self.last = 0, 0  # updates made at the first and at the last pruning
        self.masks: dict[str, Tensor] = {}  # 1 where a weight is left, on the device, where a captured step reads them

    def begin(self, course: Course) -> None:
        """Turn shares of the run into updates."""
        self.first, self.last = (max(1, round(share * course.steps)) for share in (self.start, self.end))

    @torch.no_grad()
    def __call__(self, weights: Weights) -> None:
        """Keep pruned weights at 0."""
        for name, weight in weights.items():
            if name not in self.masks and weight.dim() > 1:  # the first time, or thawed since
                self.masks[name] = torch.ones_like(weight)
        torch._foreach_mul_([weights[name] for name in self.masks], [*self.masks.values()])

    @torch.no_grad()
    def after_step(self, network: nn.Module, step: int) -> None:
        """Prune, where it is time."""
        updates = step + 1
        if not self.first <= updates <= self.last or ((updates - self.first) % self.every and updates != self.last):
            return
        progress = (updates - self.first) / (self.last - self.first) if self.last > self.first else 1.0
        weights = {name: weight for name, weight in network.named_parameters() if weight.requires_grad}
        for name, mask in self.masks.items():
            sizes = weights[name].abs().flatten()
            if count := round(sparsity_at(progress, self.sparsity) * len(sizes)):
                mask.mul_(weights[name].abs() > sizes.kthvalue(count).values)
        self(weights)

    def state(self) -> dict[str, Any]:
        """The masks."""
        return {"masks": self.masks}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on with these masks."""
        self.masks = state["masks"]
