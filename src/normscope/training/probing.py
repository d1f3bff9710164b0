"""A step that probes look at: what is recorded of it, and what they remember from one occasion to the next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from normscope.measurement import Probe
from normscope.record import StepRecord, TakeGradient, eager_gradient, random_state
from normscope.training.capture import TakeStep
from normscope.training.step import Trainee, Update


@dataclass(frozen=True)
class Probing:
    """The probes of a run.

    Attributes:
        probes: in the order in which they are measured.
        dtype: float32 or float64, in which they evaluate the network, whatever the precision of the training.
        kept: what they want to find in the next record's `earlier`; part of a checkpoint.
        take_gradient: how they get the gradient at other weights.
    """

    probes: tuple[Probe, ...] = ()
    dtype: torch.dtype = torch.float32
    kept: dict[str, Tensor] = field(default_factory=dict)
    take_gradient: TakeGradient = eager_gradient

    def due(self, step: int) -> list[Probe]:
        """The probes that look at this step."""
        return [probe for probe in self.probes if probe.is_due(step)]


def recorded(
    take_step: TakeStep,
    trainee: Trainee,
    batch: tuple[Tensor, Tensor],
    probing: Probing,
    due: Sequence[Probe],
    *,
    step: int,
    lr: float,
) -> tuple[Update, StepRecord]:
    """Take one step and keep what it started from, what it saw and where it led."""
    network, dtype = trainee.network, probing.dtype
    weights = {name: weight.detach().clone() for name, weight in trainee.weights.items()}
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
    buffers |= {name: weight.detach() for name, weight in network.named_parameters() if name not in weights}
    noise = random_state(batch[0].device)
    update = take_step(trainee, *batch)
    record = StepRecord(
        step=step,
        lr=lr,
        network=network,
        objective=trainee.objective,
        images=update.images.to(dtype),
        targets=update.targets.to(dtype),
        random_state=noise,
        weights=_of_type(weights, dtype),
        buffers=_of_type(buffers, dtype),
        updated=_of_type({name: weight.detach() for name, weight in trainee.weights.items()}, dtype),
        own=_own(trainee, update, dtype),
        earlier=probing.kept,
        reads=frozenset().union(*(probe.reads for probe in due)),
        take_gradient=probing.take_gradient,
    )
    return update, record


def _own(trainee: Trainee, update: Update, dtype: torch.dtype) -> tuple[Tensor, dict[str, Tensor]] | None:
    """L and ∇L as the step computed them, if it did so exactly as the probes would and left ∇L as it was."""
    as_probes = trainee.precision == "fp32" and dtype == torch.float32 and not trainee.regularizers.gradient
    gradient = {name: weight.grad for name, weight in trainee.weights.items() if weight.grad is not None}
    return (update.objective, gradient) if as_probes and len(gradient) == len(trainee.weights) else None


def _of_type(tensors: Mapping[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    """The tensors with floating ones in this type; counters stay integers."""
    return {name: tensor.to(dtype) if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
