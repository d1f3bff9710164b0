"""Training a part of a network: the rest keeps its initial weights."""

from collections.abc import Callable

import torch
from torch import Tensor

from normscope.regularizers.rules import Weights

Masks = dict[str, Tensor]  # of the weights that learn: 1 where they do, 0 where they are held


class PartTrained:
    """Let a part of the network learn, and hold the rest at its initial values, to the bit.

    Frankle, Schwab & Morcos 2021, arXiv:2003.00152, section 3. The gradient of what is held is set to 0, and no
    optimizer moves a weight that never had another. Running statistics go on, the head is held as well.

    Args:
        part: weights -> masks of those that learn; asked once, in the first step.
    """

    def __init__(self, *, part: Callable[[Weights], Masks]) -> None:
        self.part = part
        self.masks: Masks = {}  # on the device, where a captured step reads them

    @torch.no_grad()
    def __call__(self, weights: Weights) -> None:
        """Leave the gradients of the part alone."""
        if not self.masks:
            self.masks = self.part(weights)
        for name, weight in weights.items():
            if weight.grad is not None:
                weight.grad.mul_(self.masks.get(name, 0))


def norms(weights: Weights) -> Masks:
    """The scales γ and shifts β of the norms.

    Args:
        weights: name -> parameter; those of a layer's norm are called LAYER.norm.weight and LAYER.norm.bias.
    Raises:
        ValueError: if there are none.
    """
    found = {name: torch.ones_like(weight) for name, weight in weights.items() if ".norm." in name}
    if not found:
        raise ValueError(
            "regularizer: a part of the network is to learn that is counted by the parameters of its norms, and it has "
            "none; take model/norm=batch, with model.norm.affine=true"
        )
    return found


def random_weights(weights: Weights, *, seed: int) -> Masks:
    """As many weights of the layers as their norms have parameters, drawn at random: two of those that come into each
    unit, for its γ and β, which are held.

    The same, section 4, "Comparison to random parameters".

    Args:
        seed: of the draw, which is the same on every device.
    Raises:
        ValueError: if there are no norms.
    """
    generator = torch.Generator().manual_seed(seed)
    counts: dict[str, int] = {}  # of the parameters of the norm of each layer
    for name, mask in norms(weights).items():
        layer = name.partition(".norm.")[0]
        counts[layer] = counts.get(layer, 0) + mask.numel()
    found = {}
    for name, weight in weights.items():
        layer = name.rpartition(".")[0].rpartition(".")[0]  # of block1.layer1.conv.weight: block1.layer1
        if weight.dim() > 1 and layer in counts:
            units = len(weight)
            drawn = torch.rand(units, weight[0].numel(), generator=generator)
            chosen = drawn.topk(counts[layer] // units, dim=1).indices
            found[name] = torch.zeros_like(drawn).scatter_(1, chosen, 1).reshape(weight.shape).to(weight.device)
    return found
