"""What BatchNorm does to the curvature along the gradient: theorem 4.2, unit by unit."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm as Norm

from normscope.layer_values import kept
from normscope.measurement import Measurement
from normscope.probes.norm_units import Units, batch_norms, columns, gammas, largest
from normscope.probes.theorems import projected, theorem_4_2_terms, theorem_4_2_terms_with_eps
from normscope.record import StepRecord, leaves


class Layer(NamedTuple):
    """A norm's inputs and outputs in the graph, and the gradients there, which can be differentiated again."""

    y: Tensor
    z: Tensor
    gy: Tensor
    gz: Tensor


class Curvatures(NamedTuple):
    """Quadratic forms of k units, each (k,)."""

    inputs: Tensor  # gyᵀ H_y gy
    projected: Tensor  # (P gy)ᵀ H_z (P gy)
    outputs: Tensor  # gyᵀ H_z gy
    gradient: Tensor  # gzᵀ H_z gz


def theorem_4_2(record: StepRecord, *, layers: int, units: int) -> Measurement:
    """What BatchNorm does to the curvature of the loss along the gradient of single units.

    Santurkar et al. 2018, arXiv:1805.11604, theorem 4.2. With H_y and H_z the Hessians of L in all m inputs y and all
    m outputs z of one unit of a norm, the other units held:
        first form, ε = 0    gyᵀ H_y gy = (γ²/σ²) gyᵀ H_z gy − (γ/(m σ²)) ⟨gz,ŷ⟩ |gy|²
        second form          gyᵀ H_y gy <= (γ²/σ²) gzᵀ H_z gz − (γ/(m σ²)) ⟨gz,ŷ⟩ |gy|²
    The network has an ε, and is measured as it is trained: the first form is checked with the terms that ε brings,
    and how far it is off without them stands beside it.

    The second form needs an assumption on H_z and may fail. As published it also depends on the scale of y, the left
    side going as 1/σ⁴ and its first term as 1/σ²: where σ < γ it fails for that alone. With (γ²/σ²) gzᵀ H_z gz in
    place of gzᵀ H_z gz, by |gy| <= (γ/σ) |gz| of theorem 4.1, both go as 1/σ⁴; it is counted in both ways.

    The units are drawn anew at each occasion, from those that have a gradient as long as there are any. One forward
    pass, one backward pass that keeps its graph, and three Hessian-vector products per unit, through the part of the
    network that follows its layer. The products are PyTorch's own: a formula of ours is not checked with another.

    Args:
        record: one training step.
        layers: how many BatchNorms are looked at, spread evenly over the depth, at least 1; all if there are fewer.
        units: how many of each layer, at least 1.
    Returns:
        scalars `theorems/<layer>/`, over the units that are looked at,
        `gap_4_2`: largest |left − right| / (|first term| + |other terms|) of the first form with its terms in ε;
        `gap_4_2_without_eps`: the same of the first form as published, which holds at ε = 0 only;
        `second_form_violated`, `second_form_rescaled_violated`: share of units where the second form is false, as
            published and made independent of the scale of y;
        `output_curvature_negative`: share of units with gzᵀ H_z gz < 0.
    Raises:
        ValueError: if layers or units is below 1, or the network has no BatchNorm.
    """
    if layers < 1 or units < 1:
        raise ValueError(f"probe.theorem_4_2: layers ({layers}) and units ({units}) of each must be at least 1")
    norms = spread(batch_norms(record.network), layers)
    generator = record.generator("theorem_4_2")
    scalars: dict[str, Tensor | float] = {}
    with record.as_in_the_step():
        for name, layer in graphs(record, list(norms)).items():
            index = drawn(layer.gy.detach(), units, generator)
            y, gy, gz = (columns(tensor.detach()) for tensor in (layer.y, layer.gy, layer.gz))
            looked_at = Units(y, gy, gz, gammas(record, name, y.shape[1]), norms[name].eps).chosen(index)
            found = findings(looked_at, curvatures(layer, looked_at, index))
            scalars |= {f"theorems/{name}/{quantity}": value for quantity, value in found.items()}
    return Measurement(scalars)


def spread(norms: dict[str, Norm], layers: int) -> dict[str, Norm]:
    """Those in the middle of so many equal parts of the depth: of 8, four are the second, fourth, sixth and eighth."""
    names, count = list(norms), min(layers, len(norms))
    return {name: norms[name] for name in (names[(2 * part + 1) * len(names) // (2 * count)] for part in range(count))}


def graphs(record: StepRecord, layers: list[str]) -> dict[str, Layer]:
    """Pass the batch forward and back, and keep the graph of both."""
    with kept(record.network, ("norm_inputs", "norm_outputs")) as values:
        loss = record.evaluate(leaves(record.weights))
    ys, zs = ([values[kind][layer] for layer in layers] for kind in ("norm_inputs", "norm_outputs"))
    gradients = torch.autograd.grad(loss, [*ys, *zs], create_graph=True)
    gys, gzs = gradients[: len(layers)], gradients[len(layers) :]
    return {layer: Layer(*tensors) for layer, *tensors in zip(layers, ys, zs, gys, gzs, strict=True)}


def drawn(gradient: Tensor, units: int, generator: torch.Generator) -> Tensor:
    """An index (k,) of so many units, or all: at random, those with a gradient first."""
    alive = columns(gradient).abs().amax(0) > 0
    draws = torch.rand(alive.shape, generator=generator, device=alive.device)
    return (draws + alive).topk(min(units, len(draws))).indices


def curvatures(layer: Layer, units: Units, index: Tensor) -> Curvatures:
    """Three Hessian-vector products for each unit, one after the other.

    The derivative of ⟨gy, d⟩ is H_y d at the norm's inputs. On its way there it passes the outputs, where it is
    H_z J d, with J d = (γ/σ) P d the change of z as y moves along d.
    """
    gain = (units.gamma / units.variance.sqrt()).to(units.gy.dtype)
    ahead = projected(units, units.gy)
    found = []
    for k, unit in enumerate(index.split(1)):
        gy, gz = (alone(tensor.detach(), unit) for tensor in (layer.gy, layer.gz))
        at_inputs, after_norm = torch.autograd.grad(layer.gy, [layer.y, layer.z], gy, retain_graph=True)
        (along_gy,) = torch.autograd.grad(layer.gz, [layer.z], gy, retain_graph=True)
        (along_gz,) = torch.autograd.grad(layer.gz, [layer.z], gz, retain_graph=True)
        through = (columns(after_norm).index_select(1, unit).squeeze(1) * ahead[:, k]).sum() / gain[k]
        found.append(torch.stack([(gy * at_inputs).sum(), through, (gy * along_gy).sum(), (gz * along_gz).sum()]))
    return Curvatures(*torch.stack(found, 1))


def alone(values: Tensor, unit: Tensor) -> Tensor:
    """The values of one unit (an index (1,)) and zeros elsewhere: (N, C, ...) -> the same."""
    own = torch.arange(values.shape[1], device=values.device) == unit
    return values * own.view(1, -1, *[1] * (values.ndim - 2))


def findings(units: Units, found: Curvatures) -> dict[str, Tensor]:
    """The theorem's two forms for the units that were looked at."""
    exact = theorem_4_2_terms_with_eps(units, found.projected)
    published = theorem_4_2_terms(units, found.outputs)
    bound = sum(theorem_4_2_terms(units, found.gradient))
    rescaled = sum(theorem_4_2_terms(units, units.gamma.double().square() / units.variance * found.gradient))
    alive = torch.where(units.gy_squared > 0, 1.0, torch.nan)
    return {
        "gap_4_2": gap(found.inputs, exact),
        "gap_4_2_without_eps": gap(found.inputs, published),
        "second_form_violated": ((found.inputs > bound) * alive).nanmean(),
        "second_form_rescaled_violated": ((found.inputs > rescaled) * alive).nanmean(),
        "output_curvature_negative": ((found.gradient < 0) * alive).nanmean(),
    }


def gap(left: Tensor, terms: tuple[Tensor, Tensor]) -> Tensor:
    """The largest |left − sum of terms| / sum of their sizes among the units."""
    first, second = terms
    return largest((left - first - second).abs() / (first.abs() + second.abs()))
