"""The exponential moving average of the weights."""

from typing import Any

import torch
from torch import Tensor, nn

from normscope.regularizers.copies import copy_with
from normscope.regularizers.rules import TrainingRule


class Ema(TrainingRule):
    """Score an average of the weights over the last 1/(1 − d) updates or so; what is trained does not see it.

        a <- d a + (1 − d) w,   a = w after the first update

    Polyak & Juditsky 1992, SIAM J. Control Optim. 30, with weights that fade away; d = 0.995 in CS231n, lecture 7. The
    running statistics of norms are averaged alike, as in torchvision's and timm's training scripts: copied, they would
    be those of the last weights, and PyTorch's AveragedModel copies them only by default. Counters are copied.

    Args:
        decay: d, in [0, 1).
    Raises:
        ValueError: if decay is outside [0, 1).
    """

    def __init__(self, *, decay: float) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"decay ({decay}) must lie within [0, 1)")
        self.decay = decay
        self.average: dict[str, Tensor] = {}

    @torch.no_grad()
    def after_step(self, network: nn.Module, step: int) -> None:
        """Take in the newest weights."""
        newest = network.state_dict()
        if not self.average:
            self.average = {name: tensor.clone() for name, tensor in newest.items()}
            return
        numbers = [name for name, tensor in newest.items() if tensor.is_floating_point()]
        torch._foreach_lerp_(
            [self.average[name] for name in numbers], [newest[name] for name in numbers], 1 - self.decay
        )
        for name in newest.keys() - numbers:
            self.average[name].copy_(newest[name])

    def network(self, network: nn.Module) -> nn.Module:
        """The averaged one; before the first update the network itself."""
        return copy_with(network, self.average) if self.average else network

    def state(self) -> dict[str, Any]:
        """The average."""
        return {"average": self.average}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on with this average."""
        self.average = state["average"]
