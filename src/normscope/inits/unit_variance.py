"""Weights scaled by what the layers make of a batch of data."""

from collections.abc import Callable
from hashlib import sha256

import torch
from torch import Tensor, nn

from normscope.inits.layer import Layer
from normscope.inits.orthonormal import orthogonal

TOLERANCE = 1e-3  # of the variance; the layers are linear, so that one division does it, up to rounding


def unit_variance(network: nn.Module, images: Tensor) -> None:
    """Scale every layer's weight, from the first to the last, so that its output on this batch has variance 1.

    Mishkin & Matas 2016, arXiv:1511.06422, algorithm 1: W_L <- W_L / √(Var B_L), B_L being the output of layer L over
    all images, channels and positions. The layers are taken in the order in which one forward pass comes to them, and
    each sees what the scaled ones before it put out. Norms normalise by the batch, and their running averages are left
    as they were.

    Deviation: the paper repeats the division until the variance is within a tolerance. A convolution is linear in its
    weight and starts with bias 0, so the first division is exact.

    Args:
        network: on the device of the images; biases 0.
        images: (N, C, H, W), as the network sees them, N at least 2.
    Raises:
        ValueError: if a layer puts out a constant, or its output does not follow its weight; the message holds which.
    """
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
    layers = [(name, layer) for name, layer in network.named_modules() if isinstance(layer, Layer)]
    handles = [layer.register_forward_hook(_scaling(name)) for name, layer in layers]
    try:
        with torch.no_grad():
            network(images)
    finally:
        for handle in handles:
            handle.remove()
        for name, buffer in network.named_buffers():
            buffer.copy_(buffers[name])


def _scaling(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], Tensor]:
    """A forward hook that scales the weight of its layer and returns the output anew."""

    def hook(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        variance = output.var(correction=0)
        if not (variance > 0 and variance.isfinite()):
            raise ValueError(
                f"lsuv: {name} puts out a variance of {variance:.3g} on the batch, which no factor makes 1: its weight "
                "is 0, or all its inputs are alike; take init=he_normal"
            )
        layer.weight.div_(variance.sqrt())  # type: ignore[operator]
        scaled: Tensor = layer.forward(*inputs)
        reached = scaled.var(correction=0)
        if not abs(reached - 1) < TOLERANCE:
            raise ValueError(
                f"lsuv: {name} puts out a variance of {reached:.3g} after its weight was divided by "
                f"{variance.sqrt():.3g}, not 1: its output does not follow its weight; take init=he_normal"
            )
        return scaled

    return hook


class Lsuv:
    """Layer-sequential unit variance: orthogonal matrices, scaled on a batch of the training data.

    Mishkin & Matas 2016, arXiv:1511.06422, algorithm 1; see `unit_variance`. The batch is drawn by the run's seed, and
    the network is in training mode.

    Args:
        images: in the batch, at least 2 and at most those there are.
    Raises:
        ValueError: if images is less than 2; the message holds it.
    """

    def __init__(self, images: int) -> None:
        if images < 2:
            raise ValueError(f"init.images ({images}) of LSUV must be at least 2, to have a variance; try 128")
        self.images = images

    def __call__(self, layer: Layer, generator: torch.Generator, activation_gain: float) -> None:
        """The orthogonal matrix, at gain 1."""
        orthogonal(layer, generator, activation_gain, gain=1.0)

    def finish(self, network: nn.Module, batch: Callable[[int], Tensor] | None, seed: int) -> None:
        """Scale the layers of a network whose matrices are drawn; see `initialise`."""
        if batch is None:
            raise ValueError("lsuv: there is no batch to look at; give initialise one, or take init=he_normal")
        with torch.random.fork_rng(devices=[]):  # dropout draws too
            torch.manual_seed(int.from_bytes(sha256(f"{seed}/lsuv".encode()).digest()[:8], "big"))
            unit_variance(network, batch(self.images))
