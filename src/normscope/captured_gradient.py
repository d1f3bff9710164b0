"""The gradient that probes ask for as a CUDA graph: the same kernels without Python between them."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from normscope.record import StepRecord, TakeGradient, eager_gradient
from normscope.vectors import Vector

Found = tuple[Tensor, dict[str, Tensor]]
Capture = Callable[[Callable[[], Found]], Callable[[], Found]]  # work -> what does it again, reading the same memory


def cuda_graph(work: Callable[[], Found]) -> Callable[[], Found]:
    """Capture `work`, which executes nothing, and return what replays it; each replay overwrites what it returns."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        found = work()

    def again() -> Found:
        graph.replay()
        return found

    return again


class CapturedGradient:
    """L and ∇L of recorded steps; from the second call on by replaying a captured forward and backward pass.

    The graph reads a record of its own, into whose tensors each call copies the batch, the running statistics and the
    weights that it is asked about. It is captured anew for a record of other shapes, other learning weights or another
    objective. The noise of the network (dropout) is that of the recorded step: a replay starts from the random state
    that `StepRecord.as_in_the_step` has set, as an eager pass does.
    """

    def __init__(self, capture: Capture = cuda_graph) -> None:
        """
        Args:
            capture: the way to do some work again; another one than a CUDA graph where there is no GPU.
        """
        self._capture = capture
        self._own: StepRecord | None = None  # whose tensors the graph reads
        self._again: Callable[[], Found] | None = None

    def __call__(self, record: StepRecord, weights: Vector) -> Found:
        """As `eager_gradient`."""
        if self._own is None or not _alike(self._own, record):
            self._own, self._again = _copy_of(record), None
            return eager_gradient(record, weights)  # allocates, and lets cuDNN choose its kernels
        own = self._own
        for name, tensor in weights.items():
            own.weights[name].copy_(tensor)
        for name, tensor in record.buffers.items():
            own.buffers[name].copy_(tensor)
        own.images.copy_(record.images)
        own.targets.copy_(record.targets)
        if self._again is None:
            self._again = self._capture(lambda: eager_gradient(own, own.weights))
        loss, gradient = self._again()
        return loss.clone(), {name: tensor.clone() for name, tensor in gradient.items()}


def _copy_of(record: StepRecord) -> StepRecord:
    return replace(
        record,
        images=record.images.clone(),
        targets=record.targets.clone(),
        weights={name: tensor.clone() for name, tensor in record.weights.items()},
        buffers={name: tensor.clone() for name, tensor in record.buffers.items()},
        updated={}, own=None, earlier={},  # nothing of theirs is read
    )  # fmt: skip


def _alike(own: StepRecord, record: StepRecord) -> bool:
    """Whether both evaluate one function of tensors of the same shapes and types."""
    same_function = own.network is record.network and own.objective == record.objective
    return same_function and _form(own) == _form(record)


def _form(record: StepRecord) -> list[tuple[str, torch.Size, torch.dtype]]:
    tensors = {"images": record.images, "targets": record.targets} | record.weights | record.buffers
    return [(name, tensor.shape, tensor.dtype) for name, tensor in tensors.items()]


def gradient_taker(device: torch.device) -> TakeGradient:
    """How gradients are taken: captured on a GPU, else eagerly."""
    return CapturedGradient() if device.type == "cuda" else eager_gradient
