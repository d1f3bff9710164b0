"""Units that are silent, and activations that are saturated."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from normscope.measurement import Measurement
from normscope.record import StepRecord

READS = ("activations",)
SELU_BOUND = -1.0507009873554805 * 1.6732632423543772  # Klambauer et al. 2017, arXiv:1706.02515

# kind of activation -> (at most this, at least this) is saturated; None where that side has no bound
SATURATED: dict[type[nn.Module], Callable[[Any], tuple[float, float | None]]] = {
    nn.ReLU: lambda module: (0.0, None),
    nn.Sigmoid: lambda module: (0.05, 0.95),
    nn.Tanh: lambda module: (-0.95, 0.95),
    nn.Softsign: lambda module: (-0.95, 0.95),
    nn.ELU: lambda module: (-0.95 * module.alpha, None),
    nn.SELU: lambda module: (0.95 * SELU_BOUND, None),
}


def units(record: StepRecord) -> Measurement:
    """Which share of a layer's units is dead on this batch, and which share of its activations is saturated.

    Glorot & Bengio 2010, section 3, and Saito, "Deep Learning from Scratch", chapter 6: where an activation is flat,
    hardly any gradient passes. An activation a is saturated if it lies
        ReLU                        at 0, so that no gradient passes at all
        sigmoid, tanh, softsign     outside (0.05, 0.95) or (−0.95, 0.95)
        ELU, SELU                   below 0.95 of the lower bound, −α or −1.758
    By value, as in the sources; so the slope there is at most 19 % of the greatest for a sigmoid, 10 % for a tanh, 5 %
    of that just below 0 for an ELU, and 0.25 % for a softsign. Leaky ReLU, PReLU, GELU, SiLU, maxout and the identity
    are not bounded, or come back from their bound: layers with them get no series.

    A unit of a ReLU layer is dead if it is 0 for every image and at every position of the batch: nothing in this step
    trains the weights that lead to it. On a batch of 128 that is less than dead for good.

    It costs one forward pass, shared with every probe that reads layer values.

    Args:
        record: one training step.
    Returns:
        scalars `units/<layer>/dead` (share of units) and `units/<layer>/saturated` (share of activations).
    Raises:
        ValueError: if no activation of the network can saturate.
    """
    scalars: dict[str, Tensor | float] = {}
    for layer, values in record.layer_values("activations").items():  # (N, C) or (N, C, H, W)
        module = record.network.get_submodule(f"{layer}.activation")
        bounds = SATURATED.get(type(module))
        if bounds is None:
            continue
        counts = saturated_by_unit(values, *bounds(module))
        scalars[f"units/{layer}/saturated"] = counts.sum(dtype=torch.float64) / values.numel()
        if type(module) is nn.ReLU:
            scalars[f"units/{layer}/dead"] = (counts == values.numel() // values.shape[1]).double().mean()
    if not scalars:
        raise ValueError(
            "probe.units: no activation of this network has a flat side; leave the probe out, or take one of "
            + ", ".join(kind.__name__ for kind in SATURATED)
        )
    return Measurement(scalars)


def saturated_by_unit(values: Tensor, low: float, high: float | None) -> Tensor:
    """How many activations of each unit are at most `low` or at least `high`: (N, C) or (N, C, H, W) -> (C,).

    Compared and counted in the type of the values, which is the fastest on a CPU and exact up to 2^24 of them a unit.
    """
    flat = torch.le(values, low, out=torch.empty_like(values))  # 1 or 0
    if high is not None:
        flat += torch.ge(values, high, out=torch.empty_like(values))
    return flat.sum([0, *range(2, values.ndim)])
