"""The regularizers of a run, sorted by the place where they act."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import Tensor, nn

Weights = Mapping[str, Tensor]


def penalised(weights: Weights) -> list[Tensor]:
    """The parameters that penalties and decays act on: all but the slopes of PReLU, which a pull towards 0 would turn
    into ReLU (He et al. 2015, arXiv:1502.01852, section 2.1)."""
    return [weight for name, weight in weights.items() if not name.endswith("activation.weight")]


def gradients(weights: Weights) -> list[Tensor]:
    """The gradients of the weights that have one, to be changed in place."""
    return [weight.grad for weight in weights.values() if weight.grad is not None]


@dataclass(frozen=True)
class Course:
    """What a rule may know of a run before it begins.

    Attributes:
        steps, steps_per_epoch: the number of updates of the run, and of one pass through the training images.
        lr: update number -> learning rate.
        scores: the series that are known on the way, such as test/loss.
        of_probabilities: whether the loss compares probabilities, as the cross-entropy does.
        reduction: of the loss over a batch, mean or sum.
        rules: all that follow this training.
        pass_through: shows a network all training images in batches, without augmentation, gradients or a change of
            its mode.
    """

    steps: int
    steps_per_epoch: int
    lr: Callable[[int], float]
    scores: tuple[str, ...]
    of_probabilities: bool
    reduction: str
    rules: tuple["TrainingRule", ...]
    pass_through: Callable[[nn.Module], None]


class TrainingRule:
    """A regularizer that follows the training as a whole; one overrides what it needs.

    A rule of any place that is one, such as a constraint that remembers, is told and kept in the same way.
    """

    def begin(self, course: Course) -> None:
        """Called when the run is put together; raises ValueError where the rule does not fit it."""

    def after_step(self, network: nn.Module, step: int) -> None:
        """Called after update number `step`, before anything is scored."""

    def network(self, network: nn.Module) -> nn.Module:
        """The network that is scored in place of the trained one; one rule of a run may give another."""
        return network

    def before_scoring(self, network: nn.Module) -> None:
        """Told which network is scored next."""

    def should_stop(self, metrics: Mapping[str, float]) -> str:
        """The reason to stop, asked after each scoring with the latest metrics; empty to go on."""
        return ""

    def finish(self, network: nn.Module) -> Mapping[str, float]:
        """Called when the run has finished and been scored; may put other weights into the trained network, and returns
        the metrics that belong to them."""
        return {}

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of it: tensors and numbers."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned, its tensors on the device of the training."""


def refuse_other_losses(name: str, course: Course) -> None:
    """Refuse a term that belongs to the mean cross-entropy beside another loss.

    Raises:
        ValueError: that names the regularizer.
    """
    if not course.of_probabilities or course.reduction != "mean":
        raise ValueError(
            f"regularizer.{name}: it changes the mean cross-entropy of probabilities, and this run's loss is another; "
            "use loss=cross_entropy, or leave it out"
        )


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

    @property
    def followers(self) -> tuple[TrainingRule, ...]:
        """The rules of all places that follow the training: they are told of its steps, and a checkpoint keeps them."""
        places = (self.data, self.loss, self.gradient, self.decay, self.constraint, self.training)
        return tuple(rule for place in places for rule in place if isinstance(rule, TrainingRule))


PLACES = tuple(place.name for place in fields(Regularizers))
