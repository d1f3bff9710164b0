"""One training step, kept so that it can be asked questions."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.func import functional_call

from normscope.layer_values import GRADIENTS, Values, kept
from normscope.precision import float32_products
from normscope.second_order import CheapSecondDerivatives
from normscope.vectors import Vector

Objective = Callable[[Tensor, Tensor, Mapping[str, Tensor]], Tensor]  # (logits, targets, weights) -> scalar
TakeGradient = Callable[["StepRecord", Vector], tuple[Tensor, dict[str, Tensor]]]


def random_state(device: torch.device) -> Tensor:
    """The state of PyTorch's generator for `device`, from which the network draws its noise (dropout)."""
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def restore_random_state(device: torch.device, state: Tensor) -> None:
    """Put PyTorch's generator for `device` back to what `random_state` returned."""
    torch.cuda.set_rng_state(state, device) if device.type == "cuda" else torch.set_rng_state(state)


def leaves(weights: Vector) -> dict[str, Tensor]:
    """The same numbers as a point that a gradient can be taken at; nothing writes to the memory that they share."""
    return {name: tensor.detach().requires_grad_() for name, tensor in weights.items()}


def eager_gradient(record: "StepRecord", weights: Vector) -> tuple[Tensor, dict[str, Tensor]]:
    """L and ∇L at `weights`, kernel by kernel; inside `record.as_in_the_step()`."""
    points = leaves(weights)
    loss = record.evaluate(points)
    gradients = torch.autograd.grad(loss, list(points.values()))
    return loss.detach(), dict(zip(points, gradients, strict=True))


@dataclass(frozen=True)
class StepRecord:
    """The update θ_t -> θ_{t+1} with all that is needed to evaluate its batch at other weights.

    Everything is evaluated by `torch.func.functional_call` on copies, in the type of the weights (float32 with TF32
    off, or float64), with the dropout masks of the step and the network in training mode: BatchNorm normalises by the
    batch, and its running statistics do not move. Nothing has to be restored, so a probe cannot change the training
    that it looks at. What several probes need is computed once.

    Attributes:
        step: t, the number of updates before this one.
        lr: learning rate η of the update.
        network: read for its structure only.
        objective: (logits, targets, weights) -> the minimised scalar: mean cross-entropy plus the added loss terms.
        images, targets: the batch as the network saw it, (N, C, H, W) and probabilities (N, K).
        random_state: of the network's noise, at the start of the forward pass.
        weights, buffers: by name, θ_t, which is what learns, and what else the network computes with: the running
            statistics before the update, and frozen weights.
        updated: θ_{t+1}.
        own: L(θ_t) and ∇L(θ_t) as the step computed them; None where it did so in another precision.
        earlier: what probes kept on earlier occasions, by name; see `Measurement.kept`.
        reads: the layer values that the probes of this step will ask for: the first that asks makes the pass for all.
        take_gradient: how `gradient_at` is computed, inside `as_in_the_step`.
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
    own: tuple[Tensor, dict[str, Tensor]] | None = None
    earlier: Mapping[str, Tensor] = field(default_factory=dict)
    reads: frozenset[str] = frozenset()
    take_gradient: TakeGradient = eager_gradient
    _values: Values = field(default_factory=dict, init=False, repr=False)

    def loss_at(self, weights: Vector) -> Tensor:
        """L(weights; this batch), the objective as a scalar on the device."""
        with torch.no_grad(), self.as_in_the_step():
            return self.evaluate(weights)

    def gradient_at(self, weights: Vector) -> tuple[Tensor, dict[str, Tensor]]:
        """L and ∇L at `weights` on this batch; one forward and one backward pass."""
        with self.as_in_the_step():
            return self.take_gradient(self, weights)

    @cached_property
    def base(self) -> tuple[Tensor, dict[str, Tensor]]:
        """L(θ_t) and ∇L(θ_t): the step's own, or computed once for all probes of the step."""
        if self.own is not None:
            return self.own
        return self._look(self.reads, with_base=True)

    def layer_values(self, kind: str) -> dict[str, Tensor]:
        """What the layers held in the forward pass at θ_t, or the gradient of L with respect to it.

        All kinds in `reads` come out of one forward pass, with one backward pass if gradients are among them.

        Args:
            kind: one of `layer_values.PLACES`, or of `layer_values.GRADIENTS`; L is the mean over the batch.
        Returns:
            layer -> tensor, in the order of the forward pass.
        """
        if kind not in self._values and self.own is None and self.reads & GRADIENTS.keys():
            _ = self.base  # its pass brings the kinds along
        if kind not in self._values:
            self._look({kind, *self.reads}, with_base=False)
        return self._values[kind]

    @cached_property
    def hessian(self) -> Callable[[Vector], dict[str, Tensor]]:
        """v -> ∇²L(θ_t) v, by differentiating ⟨∇L, v⟩ (Pearlmutter 1994).

        The graph of ∇L is built once; a product is one backward pass through it, and costs two gradients.
        """
        points = leaves(self.weights)
        with self.as_in_the_step(), CheapSecondDerivatives():
            gradient = torch.autograd.grad(self.evaluate(points), list(points.values()), create_graph=True)

        def product(vector: Vector) -> dict[str, Tensor]:
            directions = [vector[name] for name in points]
            with float32_products("ieee"):
                products = torch.autograd.grad(
                    gradient, list(points.values()), directions, retain_graph=True, materialize_grads=True
                )
            return dict(zip(points, products, strict=True))

        return product

    def generator(self, name: str) -> torch.Generator:
        """Random numbers for a probe, the same whenever it looks at this step; training draws none of them."""
        digest = hashlib.sha256(f"{self.step}/{name}".encode()).digest()
        return torch.Generator(self.images.device).manual_seed(int.from_bytes(digest[:7], "big"))

    def evaluate(self, weights: Vector) -> Tensor:
        """L at `weights` with its graph, for what the methods above do not offer; inside `as_in_the_step`."""
        buffers = {name: tensor.clone() for name, tensor in self.buffers.items()}
        logits = functional_call(self.network, {**weights, **buffers}, (self.images,))
        return self.objective(logits, self.targets, weights)

    @contextmanager
    def as_in_the_step(self) -> Iterator[None]:
        """The step's random state and exact products inside the `with`, and what was there before after it."""
        device = self.images.device
        now = random_state(device)
        try:
            restore_random_state(device, self.random_state)
            with float32_products("ieee"):
                yield
        finally:
            restore_random_state(device, now)

    def _look(self, kinds: Iterable[str], *, with_base: bool) -> tuple[Tensor, dict[str, Tensor]]:
        """One pass at θ_t that keeps these kinds of layer values; returns L and, if the base is asked for, ∇L."""
        of = leaves(self.weights)
        asked = {kind: GRADIENTS[kind] for kind in kinds if kind in GRADIENTS}
        source = self
        if asked and any(name not in of for name, _ in self.network.named_parameters()):
            source = replace(self, images=self.images.detach().requires_grad_())  # a way down into what is frozen
        with self.as_in_the_step(), kept(self.network, {GRADIENTS.get(kind, kind) for kind in kinds}) as values:
            with torch.set_grad_enabled(with_base or bool(asked)):
                loss = source.evaluate(of)
            ends = [*of.values()] if with_base else []
            ends += [tensor for plain in asked.values() for tensor in values[plain].values()]
            found = iter(torch.autograd.grad(loss, ends) if ends else ())
        gradient = {name: next(found) for name in of} if with_base else {}
        for kind, plain in asked.items():
            self._values[kind] = {layer: next(found) for layer in values[plain]}
        for kind, held in values.items():
            self._values[kind] = {layer: tensor.detach() for layer, tensor in held.items()}
        return loss.detach(), gradient
