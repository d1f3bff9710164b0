"""The gradient of the objective with respect to the weights of each layer."""

from torch import Tensor

from normscope.measurement import Measurement, histogram
from normscope.record import StepRecord
from normscope.vectors import norm_l2
from normscope.weight_layers import weight_layers


def weight_gradients(record: StepRecord, *, bins: int) -> Measurement:
    """How large ∂L/∂W is in each layer, and how it is distributed.

    Glorot & Bengio 2010, section 4.2.1 and figures 8 and 9: at initialisation its variance is nearly the same in all
    layers, even where the gradient with respect to the activations vanishes on the way down (`propagation`); in
    training it need not stay so.

    It reads the gradient that all probes share: no pass of its own.

    Args:
        record: one training step; L is the objective on its batch.
        bins: equal bins between a layer's smallest and largest gradient, at least 2.
    Returns:
        scalars `gradient_norm/<layer>` (‖∂L/∂W‖₂) and `weight_gradient_std/<layer>` (of the entries), in nats per unit
        of weight; histograms `gradients/<layer>`.
    Raises:
        ValueError: if bins is too small.
    """
    if bins < 2:
        raise ValueError(f"probe.weight_gradients: bins ({bins}) must be at least 2")
    gradient = record.base[1]
    scalars: dict[str, Tensor | float] = {}
    histograms = {}
    for layer, name in weight_layers(record.network, record.weights).items():
        scalars[f"gradient_norm/{layer}"] = norm_l2({name: gradient[name]})
        scalars[f"weight_gradient_std/{layer}"] = gradient[name].std(correction=0)
        histograms[f"gradients/{layer}"] = histogram(gradient[name], bins)
    return Measurement(scalars, histograms)
