"""What is asked of a recorded step, and what an answer looks like."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import Tensor

from normscope.record import StepRecord
from normscope.when import When


@dataclass(frozen=True)
class Histogram:
    """Counts of one tensor's values in equal bins between its extremes.

    Attributes:
        edges (B+1,), counts (B,): of the bins.
        total, total_squares: Σx and Σx².
    """

    edges: Tensor
    counts: Tensor
    total: Tensor
    total_squares: Tensor


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
        bands: chart title -> names of the (value, lower, upper) series that TensorBoard draws as a band.
        reads: the layer values that it will ask for, so that all probes of a step share one pass.
    """

    name: str
    is_due: When
    measure: Callable[[StepRecord], Measurement]
    bands: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)
    reads: frozenset[str] = frozenset()
