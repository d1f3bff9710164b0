"""Histograms of what the layers put out."""

from normscope.measurement import Measurement, histogram
from normscope.record import StepRecord

READS = ("activations",)


def activations(record: StepRecord, *, bins: int, images: int) -> Measurement:
    """How the activations of each layer are distributed over a batch.

    The picture that the seminars drew for every initialisation, and Santurkar et al. 2018, arXiv:1805.11604, figure
    1(c): too small and the layers fall silent, too large and they saturate. The forward pass is of the whole batch,
    so that BatchNorm sees what it saw in training.

    Args:
        record: one training step.
        bins: equal bins between a layer's smallest and largest activation, at least 2.
        images: how many of the batch's images are counted, at least 1.
    Returns:
        histograms `activations/<layer>`, a layer being whatever holds a module named `activation`.
    Raises:
        ValueError: if bins or images is too small.
    """
    if bins < 2 or images < 1:
        raise ValueError(f"probe.activations: bins ({bins}) must be at least 2 and images ({images}) at least 1")
    values = record.layer_values("activations")
    histograms = {f"activations/{layer}": histogram(output[:images], bins) for layer, output in values.items()}
    return Measurement(histograms=histograms)
