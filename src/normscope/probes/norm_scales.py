"""The scales that norms learn."""

import torch

from normscope.measurement import Measurement
from normscope.record import StepRecord


def norm_scales(record: StepRecord, *, small: float) -> Measurement:
    """How large the scales γ of the norms are before the update, and how many of them switch their channel off.

    Frankle, Schwab & Morcos 2021, arXiv:2003.00152, section 5 and figure 5: where only γ and β learn, about a third of
    the channels of a deep ResNet end with |γ| < 0.01. Here γ starts at 1, there it is drawn from U(0, 1).

    No forward or backward pass.

    Args:
        record: one training step.
        small: |γ| below this counts as switched off, positive.
    Returns:
        scalars `norm_scale/<layer>`, the mean of |γ| over a layer, and `norm_scales/switched_off`, the share of all
        γ of the network.
    Raises:
        ValueError: if the network has no norm with a scale, or small is not positive.
    """
    if not small > 0:
        raise ValueError(f"probe.norm_scales: small ({small}) must be positive, e.g. 0.01")
    found = {
        name.removesuffix(".norm.weight"): weight.abs()
        for name, weight in record.weights.items()
        if name.endswith(".norm.weight")
    }
    if not found:
        raise ValueError(
            "probe.norm_scales: no norm of this network has a scale; take model/norm=batch, with "
            "model.norm.affine=true, or leave the probe out"
        )
    off = (torch.cat([*found.values()]) < small).to(next(iter(found.values())).dtype).mean()
    return Measurement(
        {f"norm_scale/{layer}": scale.mean() for layer, scale in found.items()} | {"norm_scales/switched_off": off}
    )
