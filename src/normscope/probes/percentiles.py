"""Percentiles of what enters the non-linearities, and how they wander in the course of training."""

import torch
from torch import Tensor

from normscope.layer_values import ascending
from normscope.measurement import Measurement
from normscope.record import StepRecord

READS = ("pre_activations",)
SHARES = {"p15": 0.15, "p50": 0.50, "p85": 0.85}
MEDIAN = list(SHARES).index("p50")
BANDS = {"percentiles of one unit, {layer}": tuple(f"percentiles/{{layer}}/{name}" for name in ("p50", "p15", "p85"))}


def percentiles(record: StepRecord, *, samples: int, unit: int) -> Measurement:
    """Where the middle and the flanks of a unit's distribution lie, and how far they have wandered up to now.

    Ioffe & Szegedy 2015, arXiv:1502.03167, figure 1(b, c): the 15th, 50th and 85th percentiles over the batch of the
    input of one typical sigmoid. Of all units j of a layer, with q_t,j a percentile at occasion t:
        range        median over j of (max − min) over all occasions of the 50th percentile
        variation    mean over j of Σ_t |q_t,j − q_{t−1},j|, over consecutive occasions
    The variation is a mean, so that what was added between two steps is the difference of the series there. Both grow
    with the number of occasions, and with the chance of each batch: compare runs with the same occasions.

    In a convolution a unit is a channel, and the percentiles are over the batch and space. They are exact where a unit
    has at most `samples` values there. Else they are those of so many of its values, one drawn from each of as many
    equal pieces of the batch: were these independent and normal, the median would be off by 1.25 / √samples standard
    deviations.

    It costs one forward pass, shared with every probe that reads layer values.

    Args:
        record: one training step.
        samples: values of a unit that are sorted, at least 1.
        unit: number of the typical unit, from 0.
    Returns:
        scalars, in units of the input: `percentiles/<layer>/{p15,p50,p85}` of that unit; of all units
        `percentiles/<layer>/p50_range` and `percentiles/<layer>/{p15,p50,p85}_variation`.
    Raises:
        ValueError: if samples is too small, a layer has no such unit, or the network has no non-linearity.
    """
    if samples < 1:
        raise ValueError(f"probe.percentiles.samples ({samples}) must be at least 1; try 512")
    layers = record.layer_values("pre_activations")
    if not layers:
        raise ValueError("probe.percentiles: this network has no hidden layer with an activation; leave the probe out")
    scalars: dict[str, Tensor | float] = {}
    kept: dict[str, Tensor] = {}
    for layer, values in layers.items():
        if not 0 <= unit < values.shape[1]:
            raise ValueError(f"probe.percentiles.unit ({unit}): {layer} has units 0 to {values.shape[1] - 1}; try 0")
        series = f"percentiles/{layer}"
        found = quantiles(by_unit(values, samples, record.generator(series)), list(SHARES.values()))  # (3, C)
        earlier = {name: record.earlier.get(f"{series}/{name}") for name in ("last", "low", "high", "travelled")}
        now = wandered(found, earlier)
        kept |= {f"{series}/{name}": tensor for name, tensor in now.items()}
        scalars[f"{series}/p50_range"] = (now["high"] - now["low"]).quantile(0.5)
        for name, of_units, travelled in zip(SHARES, found, now["travelled"], strict=True):
            scalars[f"{series}/{name}"] = of_units[unit]
            scalars[f"{series}/{name}_variation"] = travelled.mean()
    return Measurement(scalars, kept=kept)


def by_unit(values: Tensor, samples: int, generator: torch.Generator) -> Tensor:
    """At most so many values of each unit, from the same places for all: (N, C) or (N, C, H, W) -> (C, n)."""
    rows = values.movedim(1, -1).reshape(-1, values.shape[1])  # (N H W, C), a view in channels-last memory
    if len(rows) > samples:
        drawn = torch.rand(samples, generator=generator, device=values.device, dtype=torch.float64)
        places = (torch.arange(samples, device=values.device) + drawn) * (len(rows) / samples)
        rows = rows[places.long().clamp_(max=len(rows) - 1)]
    return rows.t().contiguous()


def quantiles(rows: Tensor, shares: list[float]) -> Tensor:
    """Quantiles of each row, linear between the order statistics as in numpy: (C, n) -> (shares, C)."""
    in_order = ascending(rows)
    found = []
    for share in shares:
        place = share * (rows.shape[1] - 1)
        below = int(place)
        above = min(below + 1, rows.shape[1] - 1)
        found.append(torch.lerp(in_order[:, below], in_order[:, above], place - below))
    return torch.stack(found)


def wandered(found: Tensor, earlier: dict[str, Tensor | None]) -> dict[str, Tensor]:
    """The paths of the percentiles (3, C), gone on to where they are found now.

    Returns:
        `last` and `travelled` (3, C): the percentiles and the lengths of their paths; `low` and `high` (C,): the
        extremes of the median.
    """
    last, low, high, travelled = (earlier[name] for name in ("last", "low", "high", "travelled"))
    median = found[MEDIAN]
    return {
        "last": found,
        "low": median if low is None else torch.minimum(low, median),
        "high": median if high is None else torch.maximum(high, median),
        "travelled": torch.zeros_like(found) if travelled is None or last is None else travelled + (found - last).abs(),
    }
