"""One update, written out in the order in which things act."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from normscope.losses import Loss
from normscope.precision import autocast
from normscope.regularizers.rules import Regularizers, Weights
from normscope.tasks import Task


@dataclass(frozen=True)
class Trainee:
    """What an update acts on.

    Attributes:
        network: on its device, in training mode.
        optimizer: over all of the network's parameters that the run ever trains.
        regularizers: by place.
        preprocess: float images in [0, 1] -> what the network sees.
        loss: (outputs, targets) -> scalar, before what regularizers add to it.
        task: what the network is to say of which images.
        classes: K, the number of different labels, or of the numbers of a target.
        precision: fp32, tf32 or bf16.
        augmentation: source of the data regularizers' randomness, on the device.
        weights: the network's parameters that learn, by name.
    """

    network: nn.Module
    optimizer: torch.optim.Optimizer
    regularizers: Regularizers
    preprocess: Callable[[Tensor], Tensor]
    loss: Loss
    task: Task
    classes: int
    precision: str
    augmentation: torch.Generator
    weights: dict[str, nn.Parameter]

    def objective(self, logits: Tensor, targets: Tensor, weights: Weights) -> Tensor:
        """The minimised scalar alone."""
        return losses(self.loss, self.regularizers, logits, targets, weights)[1]


class Update(NamedTuple):
    """What one update saw and found; all tensors stay on the device."""

    images: Tensor  # (N, C, H, W), as the network saw them
    targets: Tensor  # (N, K) probabilities, or numbers in regression
    loss: Tensor  # of the batch; nats where it is the cross-entropy
    objective: Tensor  # loss plus the added terms: what is minimised
    accuracy: (
        Tensor | None
    )  # share of the batch whose most likely class is the target's; None where targets are numbers


def training_step(trainee: Trainee, images: Tensor, labels: Tensor) -> Update:
    """Draw the batch's augmentation, minimise the objective by one step, and say what was found.

    Nothing in it waits for the device, so that it can be captured as one CUDA graph.

    Args:
        trainee: changed in place.
        images: (N, C, H, W) uint8, or float32 numbers, which are taken as they are.
        labels: (N,) int64, or targets (N, K) float32 (regression).
    """
    rules = trainee.regularizers
    weights = trainee.weights

    inputs, targets = as_inputs(images), as_targets(labels, trainee.classes)
    for augment in rules.data:
        inputs, targets = augment(inputs, targets, trainee.augmentation)
    inputs, targets = trainee.task.examples(trainee.preprocess(inputs), targets)
    inputs = inputs.contiguous(memory_format=torch.channels_last)

    trainee.optimizer.zero_grad()
    with autocast(images.device, trainee.precision):
        logits = trainee.network(inputs)
    logits = logits.float()
    loss, objective = losses(trainee.loss, rules, logits, targets, weights)
    objective.backward()

    for transform in rules.gradient:
        transform(weights)
    for decay in rules.decay:
        for some, lr in by_rate(trainee):
            decay(some, lr)
    trainee.optimizer.step()
    for constraint in rules.constraint:
        constraint(weights)

    return Update(inputs, targets, loss.detach(), objective.detach(), accuracy(trainee.task, logits.detach(), targets))


def by_rate(trainee: Trainee) -> list[tuple[Weights, float | Tensor]]:
    """The weights with the learning rate that they have: all together, or those of each of the optimizer's groups."""
    first, *others = trainee.optimizer.param_groups
    if not others:
        return [(trainee.weights, first["lr"])]
    found: list[tuple[Weights, float | Tensor]] = []
    for group in (first, *others):
        own = {id(weight) for weight in group["params"]}
        some = {name: weight for name, weight in trainee.weights.items() if id(weight) in own}
        if some:  # none of those that are still frozen
            found.append((some, group["lr"]))
    return found


def as_inputs(images: Tensor) -> Tensor:
    """Bytes as numbers in [0, 1]; numbers as they are."""
    return images.float() / 255 if images.dtype == torch.uint8 else images


def as_targets(labels: Tensor, classes: int) -> Tensor:
    """Labels (N,) as one-hot probabilities (N, K) float32; numbers (N, K) as they are."""
    if labels.is_floating_point():
        return labels
    return (labels[:, None] == torch.arange(classes, device=labels.device)).float()


def accuracy(task: Task, logits: Tensor, targets: Tensor) -> Tensor | None:
    """The share of a batch whose most likely class is the target's; None where the targets are numbers."""
    return (logits.argmax(1) == targets.argmax(1)).float().mean() if task.has_classes else None


def losses(
    criterion: Loss, rules: Regularizers, logits: Tensor, targets: Tensor, weights: Weights
) -> tuple[Tensor, Tensor]:
    """The loss, by default the mean cross-entropy −(1/N) Σ targets · log softmax(logits) in nats, and the objective:
    the same plus each added term of the regularizers."""
    loss = criterion(logits, targets)
    objective = loss
    for term in rules.loss:
        objective = objective + term(logits, targets, weights)
    return loss, objective
