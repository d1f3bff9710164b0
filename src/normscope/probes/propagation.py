"""What arrives at each layer: activations from below, gradients from above."""

from torch import Tensor

from normscope.measurement import Measurement, histogram
from normscope.record import StepRecord

READS = ("activations", "pre_activation_gradients")


def propagation(record: StepRecord, *, bins: int, images: int) -> Measurement:
    """Whether the signal keeps its size on the way up, and the gradient on the way down.

    Glorot & Bengio 2010, sections 3 and 4.2, figures 6 and 7, and He et al. 2015, arXiv:1502.01852, section 2.2: with
    z the activations of a layer and s what goes into its activation function, the standard deviations of z and of
    ∂L/∂s over units, space and batch should differ little from layer to layer; a constant factor per layer makes
    either vanish or explode with the depth. L is the mean over the batch, as in training: of one image's own loss the
    gradient is N times as large.

    One forward and one backward pass, shared with the other probes that ask for layer values.

    Args:
        record: one training step.
        bins: equal bins between the smallest and the largest ∂L/∂s of a layer, at least 2.
        images: how many of the batch's images the histograms count, at least 1; means and deviations are over all.
    Returns:
        scalars `activation_{mean,std}/<layer>` and `backpropagated_gradient_{mean,std}/<layer>` (nats per unit of s);
        histograms `backpropagated_gradients/<layer>`; a layer being whatever holds a module named `activation`.
    Raises:
        ValueError: if bins or images is too small.
    """
    if bins < 2 or images < 1:
        raise ValueError(f"probe.propagation: bins ({bins}) must be at least 2 and images ({images}) at least 1")
    activations, gradients = (record.layer_values(kind) for kind in READS)
    scalars: dict[str, Tensor | float] = {}
    for name, values in (("activation", activations), ("backpropagated_gradient", gradients)):
        for layer, tensor in values.items():
            scalars[f"{name}_mean/{layer}"] = tensor.mean()
            scalars[f"{name}_std/{layer}"] = tensor.std(correction=0)  # a CPU takes five times as long for std_mean
    histograms = {
        f"backpropagated_gradients/{layer}": histogram(gradient[:images], bins) for layer, gradient in gradients.items()
    }
    return Measurement(scalars, histograms)
