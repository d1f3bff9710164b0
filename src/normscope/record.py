"""One training step, kept so that it can be asked questions; and what an answer looks like."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.func import functional_call

from normscope.precision import float32_products
from normscope.when import When

Objective = Callable[[Tensor, Tensor, Mapping[str, Tensor]], Tensor]  # (logits, targets, weights) -> scalar


def random_state(device: torch.device) -> Tensor:
    """The state of PyTorch's generator for `device`, from which the network draws its noise (dropout)."""
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def restore_random_state(device: torch.device, state: Tensor) -> None:
    """Put PyTorch's generator for `device` back to what `random_state` returned."""
    torch.cuda.set_rng_state(state, device) if device.type == "cuda" else torch.set_rng_state(state)


@dataclass(frozen=True)
class StepRecord:
    """The update θ_t -> θ_{t+1} with all that is needed to evaluate its batch at other weights.

    Everything is evaluated by `torch.func.functional_call` on copies, in float32 with TF32 off, with the dropout
    masks of the step and the network in training mode: BatchNorm normalises by the batch, and its running statistics
    do not move. Nothing has to be restored, so a probe cannot change the training that it looks at.

    Attributes:
        step: t, the number of updates before this one.
        lr: learning rate η of the update.
        network: read for its structure only.
        objective: (logits, targets, weights) -> the minimised scalar: mean cross-entropy plus the added loss terms.
        images, targets: the batch as the network saw it, (N, C, H, W) and probabilities (N, K).
        random_state: of the network's noise, at the start of the forward pass.
        weights, buffers: θ_t and the running statistics before the update, by name.
        updated: θ_{t+1}.
    """

    step: int
    lr: float
    network: nn.Module
    objective: Objective
    images: Tensor
    targets: Tensor
    random_state: Tensor
    weights: dict[str, Tensor]
    buffers: dict[str, Tensor]
    updated: dict[str, Tensor]

    def loss_at(self, weights: Mapping[str, Tensor]) -> Tensor:
        """L(weights; this batch), the objective as a scalar on the device."""
        with torch.no_grad(), self._as_in_the_step():
            return self._objective(weights)

    def gradient_at(self, weights: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """L and ∇L at `weights` on this batch; one forward and one backward pass."""
        leaves = {name: tensor.detach().clone().requires_grad_() for name, tensor in weights.items()}
        with self._as_in_the_step():
            loss = self._objective(leaves)
            gradients = torch.autograd.grad(loss, list(leaves.values()))
        return loss.detach(), dict(zip(leaves, gradients, strict=True))

    @cached_property
    def base(self) -> tuple[Tensor, dict[str, Tensor]]:
        """L(θ_t) and ∇L(θ_t), computed once for all probes of the step."""
        return self.gradient_at(self.weights)

    @contextmanager
    def watched(self, layers: Mapping[str, nn.Module]) -> Iterator[dict[str, Tensor]]:
        """Collect what these modules put out in one forward pass at θ_t, made inside the `with`."""
        outputs: dict[str, Tensor] = {}

        def keep(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
            def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
                outputs[name] = output.detach()

            return hook

        handles = [module.register_forward_hook(keep(name)) for name, module in layers.items()]
        try:
            self.loss_at(self.weights)
            yield outputs
        finally:
            for handle in handles:
                handle.remove()

    def _objective(self, weights: Mapping[str, Tensor]) -> Tensor:
        buffers = {name: tensor.clone() for name, tensor in self.buffers.items()}
        logits = functional_call(self.network, {**weights, **buffers}, (self.images,))
        return self.objective(logits, self.targets, weights)

    @contextmanager
    def _as_in_the_step(self) -> Iterator[None]:
        device = self.images.device
        now = random_state(device)
        try:
            restore_random_state(device, self.random_state)
            with float32_products("ieee"):
                yield
        finally:
            restore_random_state(device, now)


@dataclass(frozen=True)
class Histogram:
    """Counts of one tensor's values in equal bins between its extremes.

    Attributes:
        edges (B+1,), counts (B,): of the bins.
        total, total_squares: Σx and Σx².
    """

    edges: Tensor
    counts: Tensor
    total: Tensor
    total_squares: Tensor


@dataclass(frozen=True)
class Measurement:
    """What a probe found at one step: named scalars and histograms, still on the device."""

    scalars: Mapping[str, Tensor | float] = field(default_factory=dict)
    histograms: Mapping[str, Histogram] = field(default_factory=dict)


@dataclass(frozen=True)
class Probe:
    """A measurement and its occasions.

    Attributes:
        name: as in the config.
        is_due: step -> bool.
        measure: a pure function of the record.
        bands: chart title -> names of the (value, lower, upper) series that TensorBoard draws as a band.
    """

    name: str
    is_due: When
    measure: Callable[[StepRecord], Measurement]
    bands: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)
