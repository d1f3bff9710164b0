"""A network's weights, kept apart from the one that is trained."""

from collections.abc import Mapping
from copy import deepcopy

from torch import Tensor, nn


def kept(network: nn.Module) -> dict[str, Tensor]:
    """Copies of all parameters and buffers, by name."""
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def copy_with(network: nn.Module, state: Mapping[str, Tensor]) -> nn.Module:
    """A copy of a network that holds these parameters and buffers, for the rest its own, and is not trained."""
    copy = deepcopy(network).requires_grad_(False)
    copy.load_state_dict({**copy.state_dict(), **state})
    return copy
