"""Mean and variance of what enters the non-linearities, and how far training moves them."""

import torch
from torch import Tensor

from normscope.measurement import Measurement
from normscope.record import StepRecord

READS = ("pre_activations",)


def moments(record: StepRecord, *, unit: int) -> Measurement:
    """How the mean and the variance of each unit move from step to step, and away from where they began.

    Santurkar et al. 2018, arXiv:1805.11604, figure 8. With z the input of a layer's non-linearity (BatchNorm's output,
    where that comes last before it), and for each unit or channel, over the batch of step t and over space:
        μ_t = mean z,    v_t = mean (z − μ_t)²
        (a) drift        |μ_t − μ_{t−1}|, |v_t − v_{t−1}|    each step on its own batch
        (b) from start   |μ_t − μ_0|, |v_t − v_0|
    and of each the mean over the layer's units. Under noisy BatchNorm (algorithm 1, n_μ = 1/2), a unit whose mean would
    stand still has a drift in μ with the triangular law on [0, 1]: mean 1/3, median 1 − 1/√2.

    A drift is written at the later one of two steps, and only where both were looked at: `when.every_pair` sees to it.
    The start is the first occasion: step 0, unless the `when` of the probe begins later.

    Deviation: the paper draws a few single units, (b) with its sign. Those are the series `unit_mean` and
    `unit_variance` of one unit, from which both pictures follow; means over all units need no luck in choosing.

    It costs one forward pass, shared with every probe that reads layer values.

    Args:
        record: one training step.
        unit: number of the single unit, from 0.
    Returns:
        scalars `moments/<layer>/{mean,variance}`, both `_drift`, `_from_start` and with `unit_` before them: in units
        of z and of z².
    Raises:
        ValueError: if a layer has no such unit, or the network has no non-linearity.
    """
    layers = record.layer_values("pre_activations")
    if not layers:
        raise ValueError("probe.moments: this network has no hidden layer with an activation; leave the probe out")
    last = record.earlier.get("moments/step")
    # Where it is read it waits for no device: the number stays on the host, but for the first occasion after a resume.
    follows = last is not None and int(last) == record.step - 1

    scalars: dict[str, Tensor | float] = {}
    kept = {"moments/step": torch.tensor(record.step)}
    for layer, values in layers.items():
        if not 0 <= unit < values.shape[1]:
            raise ValueError(f"probe.moments.unit ({unit}): {layer} has units 0 to {values.shape[1] - 1}; try 0")
        for name, found in zip(("mean", "variance"), mean_and_variance(values), strict=True):  # (C,)
            series = f"moments/{layer}/{name}"
            start = record.earlier.get(f"{series}/start", found)
            scalars[series] = found.mean()
            scalars[f"moments/{layer}/unit_{name}"] = found[unit]
            scalars[f"{series}_from_start"] = (found - start).abs().mean()
            if follows:
                scalars[f"{series}_drift"] = (found - record.earlier[f"{series}/last"]).abs().mean()
            kept |= {f"{series}/start": start, f"{series}/last": found}
    return Measurement(scalars, kept=kept)


def mean_and_variance(values: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of each unit over the batch and space: (N, C) or (N, C, H, W) -> (C,), (C,).

    As PyTorch's BatchNorm takes them in training: on a CPU `torch.var_mean` over these dimensions takes twenty times as
    long. In float32 they are exact to about 3e-5 of the variance.
    """
    mean, variance = torch.batch_norm_update_stats(values, None, None, 0.0)
    return mean, variance
