"""Histograms of what the layers put out."""

import torch
from torch import Tensor

from normscope.measurement import Histogram, Measurement
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


def histogram(values: Tensor, bins: int) -> Histogram:
    """Count values in equal bins between their extremes, without waiting for the device.

    `torch.histc` reads the extremes on the host when they are not given; here they stay on the device, and a tensor
    whose values are all equal fills the first bin of a range one unit wide.
    """
    flat = values.detach().reshape(-1).float()
    low, high = torch.aminmax(flat)
    width = torch.where(high > low, high - low, torch.ones_like(high))
    places = ((flat - low) * (bins / width)).to(torch.int64).clamp_(0, bins - 1)
    counts = torch.zeros(bins, dtype=torch.int64, device=flat.device)
    counts.scatter_add_(0, places, torch.ones_like(places))
    edges = low + width * torch.linspace(0, 1, bins + 1, device=flat.device)
    return Histogram(edges, counts, flat.sum(dtype=torch.float64), flat.double().square().sum())
