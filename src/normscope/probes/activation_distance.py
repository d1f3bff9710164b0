"""How far the distribution of what enters the non-linearities moves from one occasion to the next."""

import torch
from torch import Tensor

from normscope.layer_values import ascending, flattened
from normscope.measurement import Measurement
from normscope.record import StepRecord

READS = ("pre_activations",)


def activation_distance(record: StepRecord, *, samples: int) -> Measurement:
    """The Wasserstein distance between the distributions of a layer's activations on two occasions.

    What Santurkar et al. 2018, arXiv:1805.11604, figures 1(c) and 6 show as histograms of a layer over the steps, as a
    number. With F and G the distributions of the values of all units together:
        W₁ = ∫₀¹ |F⁻¹(q) − G⁻¹(q)| dq = (1/n) Σ_i |x_(i) − y_(i)|    for n values of each, sorted
    that is, how far a value has to move on average. W₁ / σ, with σ² the mean of both variances, compares layers and
    runs of different scale. The distance grows with the time between the occasions.

    The activations are looked at before the non-linearity, where a norm puts them: a ReLU would move half of them to 0
    on both occasions, whatever the norm does.

    A layer with more than `samples` values is seen by so many of them, one drawn from each of as many equal pieces of
    the batch. Two such samples from one normal distribution are about 1.8 σ / √samples apart: a distance near
    that is none.

    It costs one forward pass, shared with every probe that reads layer values.

    Args:
        record: one training step.
        samples: values of a layer that are compared, at least 2.
    Returns:
        scalars `activation_distance/<layer>/{w1,relative}`, against the last occasion, in units of the activations and
        of σ; `activation_distance/<layer>/{from_start,relative_from_start}`, against the first.
    Raises:
        ValueError: if samples is too small, an earlier occasion saw another number of values, or the network has no
            non-linearity.
    """
    if samples < 2:
        raise ValueError(f"probe.activation_distance.samples ({samples}) must be at least 2; try 32768")
    layers = record.layer_values("pre_activations")
    if not layers:
        raise ValueError(
            "probe.activation_distance: this network has no hidden layer with an activation; leave the probe out"
        )
    scalars: dict[str, Tensor | float] = {}
    kept: dict[str, Tensor] = {}
    for layer, values in layers.items():
        series = f"activation_distance/{layer}"
        now = in_order(values, samples, record.generator(series))
        last, start = (record.earlier.get(f"{series}/{name}") for name in ("last", "start"))
        if last is not None:
            scalars[f"{series}/w1"], scalars[f"{series}/relative"] = distances(layer, last, now)
        start = now if start is None else start
        scalars[f"{series}/from_start"], scalars[f"{series}/relative_from_start"] = distances(layer, start, now)
        kept |= {f"{series}/last": now, f"{series}/start": start}
    return Measurement(scalars, kept=kept)


def in_order(values: Tensor, samples: int, generator: torch.Generator) -> Tensor:
    """At most so many values from all over a tensor, sorted: (N, C) or (N, C, H, W) -> (n,)."""
    flat = flattened(values)
    if len(flat) > samples:
        drawn = torch.rand(samples, generator=generator, device=values.device, dtype=torch.float64)
        places = (torch.arange(samples, device=values.device) + drawn) * (len(flat) / samples)
        flat = flat[places.long().clamp_(max=len(flat) - 1)]
    return ascending(flat)


def distances(layer: str, before: Tensor, now: Tensor) -> tuple[Tensor, Tensor]:
    """W₁ between two sorted samples (n,), and W₁ / σ; nan where σ is 0."""
    if len(before) != len(now):
        raise ValueError(
            f"probe.activation_distance: {layer} has {len(now)} values, and had {len(before)} on an earlier occasion; "
            f"keep the size of the batch, or take samples={min(len(before), len(now))}"
        )
    w1 = (now - before).abs().mean()
    sigma = ((before.var(correction=0) + now.var(correction=0)) / 2).sqrt()
    return w1, w1 / sigma
