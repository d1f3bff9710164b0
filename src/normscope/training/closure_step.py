"""An update by an optimizer that evaluates the objective itself, as often as it likes: L-BFGS, Newton."""

import inspect

import torch
from torch import Tensor

from normscope.precision import autocast
from normscope.record import random_state, restore_random_state
from normscope.training.step import Trainee, Update, accuracy, as_inputs, as_targets, losses


def needs_closure(optimizer: torch.optim.Optimizer | type[torch.optim.Optimizer]) -> bool:
    """Whether the `step` of an optimizer (or of a class of them) cannot be called without a function that evaluates the
    objective."""
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    return closure is not None and closure.default is inspect.Parameter.empty


def closure_step(trainee: Trainee, images: Tensor, labels: Tensor) -> Update:
    """As `training_step`, with an objective that the optimizer may evaluate at several weights.

    However often it does, the step has one batch, augmented once, and one dropout mask; BatchNorm's running statistics
    move once, by the first evaluation; and what is told of the step, gradient included, is of the weights before it.
    It waits for the device, so it is never captured as a CUDA graph.

    Args:
        trainee: changed in place.
        images: (N, C, H, W) uint8, or float32 numbers, which are taken as they are.
        labels: (N,) int64, or targets (N, K) float32 (regression).
    Raises:
        ValueError: if a regularizer changes the gradient, or the weights before the step: then the gradient is no
            longer that of the objective whose curvature the optimizer takes.
    """
    rules, weights = trainee.regularizers, trainee.weights
    if rules.gradient or rules.decay:
        place = "gradient" if rules.gradient else "decay"
        raise ValueError(
            f"optimizer: {type(trainee.optimizer).__name__} takes the curvature of the objective, and a regularizer "
            f"acts beside it, in the place '{place}'; leave it out (for weight decay take regularizer=[l2], which is "
            "part of the objective), or take another optimizer"
        )
    inputs, targets = as_inputs(images), as_targets(labels, trainee.classes)
    for augment in rules.data:
        inputs, targets = augment(inputs, targets, trainee.augmentation)
    inputs, targets = trainee.task.examples(trainee.preprocess(inputs), targets)
    inputs = inputs.contiguous(memory_format=torch.channels_last)

    objective = Objective(trainee, inputs, targets)
    trainee.optimizer.step(objective)  # type: ignore[arg-type]  # PyTorch says float and means a scalar tensor
    for name, slope in objective.gradient.items():
        weights[name].grad = slope
    for constraint in rules.constraint:
        constraint(weights)
    assert objective.first is not None
    return objective.first


class Objective:
    """The objective of one step, evaluated at the weights of the moment; the first time is the one that counts.

    Attributes:
        first: what the first evaluation found; None before it.
        gradient: name -> ∇L at the weights of the first evaluation, where that evaluation took it.
    """

    def __init__(self, trainee: Trainee, inputs: Tensor, targets: Tensor) -> None:
        self.first: Update | None = None
        self.gradient: dict[str, Tensor] = {}
        self._trainee, self._inputs, self._targets = trainee, inputs, targets
        self._noise = random_state(inputs.device)

    def __call__(self, backward: bool = True) -> Tensor:
        """The objective with its graph; `backward` fills the weights' `.grad` too."""
        trainee, network = self._trainee, self._trainee.network
        before = None
        if self.first is not None:  # not again: the same noise, and the running statistics stay
            restore_random_state(self._inputs.device, self._noise)
            before = [(buffer, buffer.clone()) for buffer in network.buffers()]
        trainee.optimizer.zero_grad()
        with autocast(self._inputs.device, trainee.precision):
            logits = network(self._inputs)
        logits = logits.float()
        loss, objective = losses(trainee.loss, trainee.regularizers, logits, self._targets, trainee.weights)
        if backward:
            objective.backward()
        if before is None:
            self._keep(logits.detach(), loss.detach(), objective.detach())
        for buffer, value in before or []:
            buffer.copy_(value)
        return objective

    def _keep(self, logits: Tensor, loss: Tensor, objective: Tensor) -> None:
        right = accuracy(self._trainee.task, logits, self._targets)
        self.first = Update(self._inputs, self._targets, loss, objective, right)
        self.gradient = {
            name: weight.grad.clone() for name, weight in self._trainee.weights.items() if weight.grad is not None
        }
