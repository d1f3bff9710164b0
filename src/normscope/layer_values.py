"""What the layers of a network held in one forward pass, by name of the layer."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

Values = dict[str, dict[str, Tensor]]  # kind -> layer -> tensor

PLACES = {  # kind -> the slot whose module is watched, and which side of it
    "pre_activations": ("activation", "inputs"),
    "activations": ("activation", "outputs"),
    "norm_inputs": ("norm", "inputs"),
    "norm_outputs": ("norm", "outputs"),
}
GRADIENTS = {  # kind -> the kind that the objective is differentiated by
    "pre_activation_gradients": "pre_activations",
    "norm_input_gradients": "norm_inputs",
    "norm_output_gradients": "norm_outputs",
}


@contextmanager
def kept(network: nn.Module, kinds: Iterable[str]) -> Iterator[Values]:
    """Keep the values of these kinds in the forward passes that are made inside the `with`, not detached.

    A layer is what holds a module named `activation` (or `norm`), under its own name: `layer3`, `block2.layer1`. Where
    the norm stands before the activation, a layer's norm outputs are its pre-activations.

    Args:
        kinds: of PLACES.
    Returns:
        kind -> layer -> tensor, in the order of the forward pass, filled when a pass is made.
    Raises:
        ValueError: if there is no such kind; the message holds it.
    """
    values: Values = {}
    handles = []
    try:
        for kind in kinds:
            if kind not in PLACES:
                raise ValueError(f"layer values: no kind {kind!r}; there are {', '.join([*PLACES, *GRADIENTS])}")
            slot, side = PLACES[kind]
            values[kind] = {}
            for name, module in network.named_modules():
                parent, _, own = name.rpartition(".")
                if own == slot:
                    handles.append(module.register_forward_hook(_keep(values[kind], parent, side)))
        yield values
    finally:
        for handle in handles:
            handle.remove()


def _keep(values: dict[str, Tensor], layer: str, side: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
    def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        values[layer] = inputs[0] if side == "inputs" else output

    return hook


def flattened(values: Tensor) -> Tensor:
    """All values in one dimension, in whatever order; a view where the channels are last in memory.

    Args:
        values: of any shape, if there are two dimensions or more with the channels in the second.
    """
    return (values.movedim(1, -1) if values.ndim > 1 else values).detach().reshape(-1)


def ascending(values: Tensor) -> Tensor:
    """The values in order along the last dimension, without a graph."""
    if values.device.type == "cpu":  # torch.sort carries an index along, which takes four to six times as long there
        return torch.from_numpy(np.sort(values.detach().numpy(), axis=-1))
    return values.detach().sort(dim=-1).values
