"""The weights of each layer, and how far an update moves them."""

from torch import Tensor

from normscope.measurement import Measurement, histogram
from normscope.record import StepRecord
from normscope.vectors import distance_l2, norm_l2
from normscope.weight_layers import weight_layers


def weights(record: StepRecord, *, bins: int) -> Measurement:
    """How large the weights of each layer are, how they are distributed, and how large their update is beside them.

    CS231n, notes on neural networks 3, "Ratio of weights:updates": ‖W_{t+1} − W_t‖₂ / ‖W_t‖₂ of each tensor should be
    about 1e-3; far above it the learning rate is too high, far below too low. The update is the one that the optimizer
    made, with momentum, decay and constraints. Biases, γ and β are left out: where they start at 0 the ratio says
    nothing.

    No forward or backward pass.

    Args:
        record: one training step.
        bins: equal bins between a layer's smallest and largest weight, at least 2.
    Returns:
        scalars `weight_norm/<layer>` (‖W_t‖₂ over all entries) and `update_ratio/<layer>`, nan where all weights are 0
        and stay so; histograms `weights/<layer>`.
    Raises:
        ValueError: if bins is too small.
    """
    if bins < 2:
        raise ValueError(f"probe.weights: bins ({bins}) must be at least 2")
    scalars: dict[str, Tensor | float] = {}
    histograms = {}
    for layer, name in weight_layers(record.network, record.weights).items():
        weight = {name: record.weights[name]}
        length = norm_l2(weight)
        scalars[f"weight_norm/{layer}"] = length
        scalars[f"update_ratio/{layer}"] = distance_l2({name: record.updated[name]}, weight) / length
        histograms[f"weights/{layer}"] = histogram(record.weights[name], bins)
    return Measurement(scalars, histograms)
