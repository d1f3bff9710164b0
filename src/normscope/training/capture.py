"""A whole training step as one CUDA graph: the same kernels without Python between them."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from normscope.training.closure_step import closure_step, needs_closure
from normscope.training.step import Trainee, Update, training_step

TakeStep = Callable[[Trainee, Tensor, Tensor], Update]

EAGER_STEPS = 3  # taken on a side stream before the capture, as PyTorch asks for; they are real updates


class CapturedStep:
    """Takes training steps; from the fourth on by replaying a captured graph.

    The first steps run eagerly: they create the optimizer's state and let cuDNN choose its kernels. Then one step is
    captured, which executes nothing, and every later call copies its batch into the graph's input and replays it.
    Learning rates change between replays because the optimizer holds them as device tensors. The random numbers of a
    replay are those that an eager step would draw: generators advance by the same amount.
    """

    def __init__(self) -> None:
        self._taken = 0
        self._stream = torch.cuda.Stream()
        self._captured: _Captured | None = None

    def __call__(self, trainee: Trainee, images: Tensor, labels: Tensor) -> Update:
        """As `training_step`; the returned tensors are overwritten by the next call."""
        if self._taken < EAGER_STEPS:
            self._taken += 1
            return self._eager(trainee, images, labels)
        if self._captured is None:
            self._captured = _capture(trainee, images, labels)
        self._captured.images.copy_(images)
        self._captured.labels.copy_(labels)
        self._captured.graph.replay()
        return self._captured.update

    def _eager(self, trainee: Trainee, images: Tensor, labels: Tensor) -> Update:
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            update = training_step(trainee, images, labels)
        torch.cuda.current_stream().wait_stream(self._stream)
        return update


@dataclass(frozen=True)
class _Captured:
    """A graph with the tensors that it reads from and writes to."""

    graph: torch.cuda.CUDAGraph
    images: Tensor
    labels: Tensor
    update: Update


def _capture(trainee: Trainee, images: Tensor, labels: Tensor) -> _Captured:
    images, labels = images.clone(), labels.clone()
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(trainee.augmentation)
    trainee.optimizer.zero_grad()  # the graph allocates its own gradients
    with torch.cuda.graph(graph):
        update = training_step(trainee, images, labels)
    return _Captured(graph, images, labels, update)


def eager_step(optimizer: torch.optim.Optimizer) -> TakeStep:
    """How a step is taken kernel by kernel: by `closure_step` where the optimizer evaluates the objective itself."""
    return closure_step if needs_closure(optimizer) else training_step


def step_taker(device: torch.device, optimizer: torch.optim.Optimizer) -> TakeStep:
    """How steps are taken: captured on a GPU by optimizers that never wait for it, else eagerly."""
    never_waits = all(group.get("fused") or group.get("capturable") for group in optimizer.param_groups)
    if device.type == "cuda" and never_waits and not needs_closure(optimizer):
        return CapturedStep()
    return eager_step(optimizer)
