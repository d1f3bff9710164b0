"""What is asked of a recorded step, and what an answer looks like."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from normscope.layer_values import flattened
from normscope.record import StepRecord
from normscope.when import When


@dataclass(frozen=True)
class Histogram:
    """Counts of one tensor's values in equal bins between its extremes.

    Attributes:
        edges (B+1,), counts (B,): of the bins.
        total, total_squares: Σx and Σx², as float32 sums them.
    """

    edges: Tensor
    counts: Tensor
    total: Tensor
    total_squares: Tensor


def histogram(values: Tensor, bins: int) -> Histogram:
    """Count values in equal bins between their extremes, without waiting for the device.

    `torch.histc` reads the extremes on the host when they are not given; here they stay on the device, and a tensor
    whose values are all equal fills the first bin of a range one unit wide.

    Args:
        values: of any shape; counted in float32.
        bins: B, at least 1.
    """
    flat = flattened(values).float()
    low, high = torch.aminmax(flat)
    width = torch.where(high > low, high - low, torch.ones_like(high))
    places = (flat - low).mul_(bins / width).to(torch.int64).clamp_(0, bins - 1)
    counts = torch.zeros(bins, dtype=torch.int64, device=flat.device)
    counts.scatter_add_(0, places, counts.new_ones(()).expand_as(places))
    edges = low + width * torch.linspace(0, 1, bins + 1, device=flat.device)
    # In float32: a conversion on the way takes twenty times as long on a CPU.
    return Histogram(edges, counts, flat.sum().double(), torch.linalg.vector_norm(flat).double().square())


@dataclass(frozen=True)
class Measurement:
    """What a probe found at one step; tensors still on the device.

    Attributes:
        scalars, histograms: by name of the series.
        kept: what the probe wants to find in `StepRecord.earlier` on its next occasion, by a name of its own.
    """

    scalars: Mapping[str, Tensor | float] = field(default_factory=dict)
    histograms: Mapping[str, Histogram] = field(default_factory=dict)
    kept: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Probe:
    """A measurement and its occasions.

    Attributes:
        name: as in the config.
        is_due: step -> bool.
        measure: a pure function of the record.
        bands: chart title -> names of the (value, lower, upper) series that TensorBoard draws as a band; `{layer}` in
            them stands for each layer that has an activation.
        reads: the layer values that it will ask for, so that all probes of a step share one pass.
    """

    name: str
    is_due: When
    measure: Callable[[StepRecord], Measurement]
    bands: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)
    reads: frozenset[str] = frozenset()
