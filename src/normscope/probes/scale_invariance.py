"""Whether the network cares how long the weights before a BatchNorm are."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from normscope.measurement import Measurement
from normscope.probes.norm_units import batch_norms, gradient_through_logits, largest
from normscope.record import StepRecord
from normscope.weight_layers import weight_layers


def scale_invariance(record: StepRecord, *, factor: float) -> Measurement:
    """How far the network is from not caring how long the weights before a BatchNorm are.

    Santurkar et al. 2018, arXiv:1805.11604, lemma 4.5; Ioffe & Szegedy 2015, arXiv:1502.03167, section 3.3. From
    BN((aW)x) = BN(Wx) for a > 0 follow, exactly at ε = 0 and otherwise up to ε/σ²:
        L(aW) = L(W),    ⟨W_j, ∂L/∂W_j⟩ = 0 for the weights W_j of a unit,    ∂L/∂W at aW = (1/a) ∂L/∂W
    where L is the loss of the network's outputs; terms of the objective that see the weights directly are held as
    they are. The weights of all such layers are scaled at once: one forward and backward pass beside the base. A ReLU
    or a max pool that stands on the edge tips over with ε, and then the gradients below it differ by more.

    Args:
        record: one training step.
        factor: a, positive and not 1. A power of 2 scales without rounding, and what remains is the work of ε.
    Returns:
        scalars `theorems/loss_at_scaled`, |L(aW) − L(W)| / |L(W)|, and `theorems/<layer>/`
        `weight_gradient_cosine`: largest |⟨W_j, ∂L/∂W_j⟩| / (|W_j| |∂L/∂W_j|) over the layer's units;
        `gradient_at_scaled`: |a ∂L/∂W(aW) − ∂L/∂W| / |∂L/∂W|.
    Raises:
        ValueError: if factor is not positive or 1, or the network has no BatchNorm.
    """
    if not factor > 0 or factor == 1:
        raise ValueError(
            f"probe.scale_invariance: factor ({factor}) must be positive and not 1, or nothing is scaled; try 2"
        )
    norms, of_layer = batch_norms(record.network), weight_layers(record.network, record.weights)
    names = {layer: of_layer[layer] for layer in norms if layer in of_layer}

    def held(logits: Tensor, targets: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
        return record.objective(logits, targets, record.weights)

    scaled = {name: factor * record.weights[name] for name in names.values()}
    loss, at_scaled = replace(record, objective=held).gradient_at({**record.weights, **scaled})
    gradient = gradient_through_logits(record, names.values())

    base = record.base[0]
    scalars: dict[str, Tensor | float] = {"theorems/loss_at_scaled": ((loss - base) / base).abs()}
    for layer, name in names.items():
        change = factor * at_scaled[name] - gradient[name]
        cosines = unit_cosines(record.weights[name], gradient[name])
        scalars[f"theorems/{layer}/weight_gradient_cosine"] = largest(cosines.abs())
        scalars[f"theorems/{layer}/gradient_at_scaled"] = change.norm() / gradient[name].norm()
    return Measurement(scalars)


def unit_cosines(weights: Tensor, gradient: Tensor) -> Tensor:
    """⟨W_j, G_j⟩ / (|W_j| |G_j|) of each unit j: (out, in, ...) twice -> (out,); nan where one is 0."""
    w, g = weights.flatten(1), gradient.flatten(1)
    return (w * g).sum(1) / (torch.linalg.vector_norm(w, dim=1) * torch.linalg.vector_norm(g, dim=1))
