"""Internal covariate shift: how much the updates of the earlier layers change the gradient of a layer."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from normscope.measurement import Measurement
from normscope.record import StepRecord
from normscope.vectors import Vector, cosine, distance_l2
from normscope.weight_layers import order_of_use, weight_layers


def covariate_shift(record: StepRecord, *, layers: int | str | Sequence[str]) -> Measurement:
    """The gradient of a layer before and after all earlier layers have made their update.

    Santurkar et al. 2018, arXiv:1805.11604, definition 2.1 and figure 3. With W_1 ... W_k in the order in which the
    network computes with them, and the same batch on both sides:
        G_i  = ∂L/∂W_i at (W_1^t, ..., W_k^t)
        G'_i = ∂L/∂W_i at (W_1^{t+1}, ..., W_{i−1}^{t+1}, W_i^t, ..., W_k^t)
    The shift is ‖G_i − G'_i‖₂, and the cosine of the two tells how far the gradient turned. Whatever the network
    computes with before W_i is moved by the update that the optimizer really made: weights, biases, γ and β of norms,
    slopes of activations. In a residual block, the branch comes before the shortcut beside it.

    G is the gradient that all probes share; each layer costs one forward pass, and a backward pass down to it. In
    float32, a shift of less than about 1e-5 ‖G_i‖ is mostly rounding; probe_precision=fp64 resolves it.

    Args:
        record: one training step.
        layers: names, as in `weight_layers`; or how many hidden layers, spread evenly over the depth. The first layer
            is not among those, because its shift is 0: nothing comes before it; nor are shortcuts.
    Returns:
        scalars `covariate_shift/<layer>/l2` (nats per unit of weight) and `covariate_shift/<layer>/cosine`.
    Raises:
        ValueError: if there is no such layer, or no layer is asked for.
    """
    with torch.no_grad(), record.as_in_the_step():
        two = replace(record, images=record.images[:2], targets=record.targets[:2])  # enough to see the order
        order = order_of_use(lambda: two.evaluate(record.weights), record.weights)
    owned = {weight: layer for layer, weight in weight_layers(record.network, record.weights).items()}
    in_order = {owned[name]: name for name in order if name in owned}

    scalars: dict[str, Tensor | float] = {}
    for layer in chosen_layers(layers, list(in_order)):
        weight = in_order[layer]
        earlier = order[: order.index(weight)]
        before = {weight: record.base[1][weight]}
        after = {weight: _gradient(record, {name: record.updated[name] for name in earlier}, weight)}
        scalars[f"covariate_shift/{layer}/l2"] = distance_l2(before, after)
        scalars[f"covariate_shift/{layer}/cosine"] = cosine(before, after)
    return Measurement(scalars)


def chosen_layers(layers: int | str | Sequence[str], in_order: Sequence[str]) -> list[str]:
    """The layers that are named, or so many: those in the middle of as many equal parts of the depth.

    Of 13 hidden layers, four are the third, sixth, ninth and twelfth.

    Args:
        in_order: all weight layers as the forward pass comes to them; the last is the output, the others are hidden.
    """
    if isinstance(layers, int):
        hidden = [layer for layer in in_order[1:-1] if not layer.endswith(".shortcut")]
        if layers < 1 or not hidden:
            raise ValueError(
                f"probe.covariate_shift.layers ({layers}) must be at least 1, of {len(hidden)} hidden layers after the "
                f"first that learns; or name some of {', '.join(in_order)}"
            )
        count = min(layers, len(hidden))
        return [hidden[(2 * part + 1) * len(hidden) // (2 * count)] for part in range(count)]
    names = [layers] if isinstance(layers, str) else list(dict.fromkeys(layers or ()))
    unknown = [name for name in names if name not in in_order]
    if unknown or not names:
        wrong = f"no layer {unknown[0]!r}" if unknown else "names no layer"
        raise ValueError(f"probe.covariate_shift.layers: {wrong}; this network has {', '.join(in_order)}")
    return names


def _gradient(record: StepRecord, moved: Vector, weight: str) -> Tensor:
    """∂L/∂W of one weight where the others that are `moved` stand elsewhere."""
    if not moved:
        return record.base[1][weight]
    point = record.weights[weight].detach().clone().requires_grad_()
    with record.as_in_the_step():
        loss = record.evaluate({**record.weights, **moved, weight: point})
        (gradient,) = torch.autograd.grad(loss, point)
    return gradient
