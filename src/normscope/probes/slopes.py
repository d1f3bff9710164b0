"""The slopes that PReLU learns."""

from torch import nn

from normscope.measurement import Measurement
from normscope.record import StepRecord


def slopes(record: StepRecord) -> Measurement:
    """The slope a of each PReLU, f(x) = max(0, x) + a min(0, x), before the update.

    He et al. 2015, arXiv:1502.01852, section 2.1 and table 1: the first convolution learns a = 0.681 (0.596 with a
    slope for each channel), so that it passes on both what agrees with a filter and what opposes it; deeper layers
    learn smaller ones and become more non-linear. a starts at 0.25.

    No forward or backward pass.

    Args:
        record: one training step.
    Returns:
        scalar `slope/<layer>`, the mean over the slopes of a layer.
    Raises:
        ValueError: if the network has no PReLU.
    """
    found = {
        name.removesuffix(".activation"): record.weights[f"{name}.weight"].mean()
        for name, module in record.network.named_modules()
        if isinstance(module, nn.PReLU)
    }
    if not found:
        raise ValueError(
            "probe.slopes: this network has no slopes; take model/activation=prelu, or leave the probe out"
        )
    return Measurement({f"slope/{layer}": slope for layer, slope in found.items()})
