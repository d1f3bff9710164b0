"""Noise on the gradient that dies away."""

from typing import Any

import torch
from torch import Tensor

from normscope.regularizers.rules import TrainingRule, Weights, gradients

DECAY = 0.55


class GradientNoise(TrainingRule):
    """Add Gaussian noise to every element of the gradient, less with every update.

        g <- g + N(0, σ_t²),   σ_t² = η / (1 + t)^0.55

    Neelakantan et al. 2015, arXiv:1511.06807, section 3. The noise is drawn from PyTorch's generator of the device,
    after the network's own.

    Args:
        variance: η, that of the first update, at least 0; the paper takes 0.01, 0.3 or 1.
    Raises:
        ValueError: if variance is negative.
    """

    def __init__(self, *, variance: float) -> None:
        if variance < 0:
            raise ValueError(f"variance ({variance}) must be at least 0")
        self.variance = variance
        self.updates: Tensor | None = None  # t, on the device, where a captured step counts it

    def __call__(self, weights: Weights) -> None:
        """Change the gradients in place."""
        noisy = gradients(weights)
        if self.updates is None:
            self.updates = torch.zeros((), dtype=torch.int64, device=noisy[0].device)
        noise = [torch.randn_like(gradient) for gradient in noisy]
        torch._foreach_mul_(noise, (self.variance / (1 + self.updates) ** DECAY).sqrt())
        torch._foreach_add_(noisy, noise)
        self.updates += 1

    def state(self) -> dict[str, Any]:
        """t."""
        return {"updates": self.updates}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on at t."""
        self.updates = state["updates"]
