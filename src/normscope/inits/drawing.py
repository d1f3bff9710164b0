"""From a seed to the initial weights of a network."""

from collections.abc import Callable
from hashlib import sha256

import torch
from torch import Tensor, nn

from normscope.inits.gains import activation_gain
from normscope.inits.layer import Layer

Init = Callable[[Layer, torch.Generator, float], None]
Batch = Callable[[int], Tensor]


def initialise(network: nn.Module, init: Init, seed: int, batch: Batch | None = None) -> None:
    """Draw the weights and biases of every convolution and fully connected layer anew.

    Each layer draws from a generator of its own, seeded by SHA-256 of "seed/name": layers that two networks share by
    name start equal, bit for bit, whatever else the networks have. Norms stay at γ = 1, β = 0. A layer that the model
    gave an attribute `initial_scale` (Fixup does) ends with that many times what was drawn.

    Args:
        network: on the CPU, as it was built (before channels_last, which would change the order of drawing).
        init: (layer, generator, gain) -> None, fills layer.weight and then layer.bias in place; the gain is the one
            that the network's activation asks for, see `activation_gain`. An init that looks at data has a method
            `finish(network, batch, seed)` too, called once after all layers.
        seed: of the run.
        batch: count -> that many training images (count, C, H, W) as the network sees them, on the CPU.
    Raises:
        ValueError: if a weight is not on the CPU, or the init wants data and there is none; the message holds what.
    """
    layers = {name: layer for name, layer in network.named_modules() if isinstance(layer, Layer)}
    for name, layer in layers.items():
        if layer.weight.device.type != "cpu":
            raise ValueError(
                f"initialise: {name}.weight is on {layer.weight.device}; initialise on the CPU, then move the network, "
                "so that the weights are the same on every device"
            )
    gain = _gain_of(network)
    for name, layer in layers.items():
        digest = sha256(f"{seed}/{name}".encode()).digest()
        init(layer, torch.Generator().manual_seed(int.from_bytes(digest[:8], "big")), gain)
    finish = getattr(init, "finish", None)
    if finish is not None:
        finish(network, batch, seed)
    for layer in layers.values():
        _scale_down(layer)


def _scale_down(layer: Layer) -> None:
    """Multiply the weight and the bias by the layer's attribute `initial_scale`, where the model gave it one."""
    scale = getattr(layer, "initial_scale", None)
    if scale is not None:
        with torch.no_grad():
            for parameter in layer.parameters(recurse=False):
                parameter.mul_(scale)


def _gain_of(network: nn.Module) -> float:
    """The gain of the activation that follows the network's hidden layers; 1 without hidden layers."""
    activations = (module for name, module in network.named_modules() if name.rpartition(".")[2] == "activation")
    activation = next(activations, None)
    return 1.0 if activation is None else activation_gain(activation)
