"""The regularizers of a run, sorted by the place where they act."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import Tensor, nn

Weights = Mapping[str, Tensor]


class TrainingRule:
    """A regularizer that acts on the training as a whole; one overrides what it needs."""

    def after_step(self, network: nn.Module, step: int) -> None:
        """Called after update number `step`; may look at the network's weights, not change them."""

    def network(self, network: nn.Module) -> nn.Module:
        """The network that is scored in place of the trained one."""
        return network

    def should_stop(self, metrics: Mapping[str, float]) -> str:
        """The reason to stop, asked after each scoring with the latest metrics; empty to go on."""
        return ""

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of it: tensors and numbers."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""


@dataclass(frozen=True)
class Regularizers:
    """Six places in which a regularizer can act; within a place, the order of the config is the order of action.

    Attributes:
        data: (images in [0, 1], targets, generator) -> (images, targets), before the network sees them.
        architecture: slot of the model (pool, linear, dropout, branch) -> factory.
        loss: (logits, targets, weights) -> scalar, added to the cross-entropy.
        gradient: (weights) -> None, changes `.grad` after backward.
        decay: (weights, lr) -> None, before the optimizer's step.
        constraint: (weights) -> None, after it.
        training: rules with a state of their own, such as an average of the weights.
    """

    data: tuple[Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]], ...] = ()
    architecture: Mapping[str, Callable[..., nn.Module]] = field(default_factory=dict)
    loss: tuple[Callable[[Tensor, Tensor, Weights], Tensor], ...] = ()
    gradient: tuple[Callable[[Weights], None], ...] = ()
    decay: tuple[Callable[[Weights, float | Tensor], None], ...] = ()
    constraint: tuple[Callable[[Weights], None], ...] = ()
    training: tuple[TrainingRule, ...] = ()


PLACES = tuple(place.name for place in fields(Regularizers))
