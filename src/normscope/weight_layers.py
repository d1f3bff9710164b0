"""The layers of a network that hold a weight, and the order in which a forward pass comes to its parameters."""

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


def weight_layers(network: nn.Module, among: Container[str] | None = None) -> dict[str, str]:
    """The name of each layer's weight: every convolution and fully connected layer has one.

    A layer is called as in `layer_values`, by what holds it: the weight of `layer3` is `layer3.conv.weight`, that of
    the shortcut in `block2` belongs to `block2.shortcut`, and `head` holds its own. Biases and norms are left out.

    Args:
        among: names of parameters, such as those that learn; layers whose weight is not among them are left out.
    Returns:
        layer -> name of its weight among the parameters, in the order in which the network lists them.
    """
    parameters = {name for name, _ in network.named_parameters() if among is None or name in among}
    found: dict[str, str] = {}
    for name, module in network.named_modules():
        weight = f"{name}.weight".removeprefix(".")
        if isinstance(module, nn.Conv2d | nn.Linear) and weight in parameters:
            layer = name.removesuffix(".conv").removesuffix(".linear")
            found[name if layer in found else layer] = weight
    return found


def order_of_use(forward: Callable[[], object], weights: Mapping[str, Tensor]) -> list[str]:
    """The names of the parameters in the order in which a forward pass first computes with them.

    The order in which a network lists its parameters is that of its construction: a residual block may list its
    shortcut before what it computes first.

    Args:
        forward: makes the pass, with these very tensors as parameters.
        weights: name -> tensor.
    Returns:
        All names; those that the pass does not use come last.
    """
    with _Watch(weights) as watch:
        forward()
    return [*watch.used, *(name for name in weights if name not in watch.used)]


class _Watch(TorchFunctionMode):
    """Notes which of some tensors are arguments of PyTorch's functions, the first time that they are."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.names = {id(tensor): name for name, tensor in weights.items()}
        self.used: dict[str, None] = {}

    def __torch_function__(
        self, function: Callable[..., Any], types: object, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(function, "__name__", "") != "__get__":  # to read a tensor's shape or type is no use of it
            self._note([*args, *kwargs.values()])
        return function(*args, **kwargs)

    def _note(self, values: Iterable[Any]) -> None:
        for value in values:
            if id(value) in self.names:
                self.used.setdefault(self.names[id(value)])
            elif isinstance(value, list | tuple):
                self._note(value)
