"""The block of a residual network."""

from torch import Tensor, nn

from normscope.layers.weight_layer import pieces_of


class ResidualBlock(nn.Module):
    """activation(branch(x) + shortcut(x)), as in He et al. 2016, figure 2.

    Children `layer1`, `layer2`(, `layer3`), `branch` if any, `shortcut` if it is not the identity, `activation`.
    """

    def __init__(
        self, layers: list[nn.Sequential], shortcut: nn.Module | None, branch: nn.Module | None, activation: nn.Module
    ) -> None:
        super().__init__()
        if pieces_of(activation) != 1:
            raise ValueError(
                f"activation ({activation}) makes one channel of several, but the sum that ends a residual block has "
                "one of each; take a VGG or an MLP for it, or another activation"
            )
        self.names = [f"layer{number}" for number in range(1, len(layers) + 1)]
        for name, layer in zip(self.names, layers, strict=True):
            self.add_module(name, layer)
        if branch is not None:
            self.branch = branch
            self.names.append("branch")
        self.shortcut = shortcut
        self.activation = activation

    def forward(self, inputs: Tensor) -> Tensor:
        outputs = inputs
        for name in self.names:
            outputs = getattr(self, name)(outputs)
        return self.activation(outputs + (inputs if self.shortcut is None else self.shortcut(inputs)))

    @property
    def layers(self) -> dict[str, nn.Sequential]:
        """The weight layers of the branch by name, in the order in which they act."""
        return {name: getattr(self, name) for name in self.names if name.startswith("layer")}

    def end_branch_with(self, name: str, module: nn.Module) -> None:
        """Let one more module, a child of that name, act at the end of the branch."""
        self.add_module(name, module)
        self.names.append(name)


def blocks_of(network: nn.Module) -> dict[str, ResidualBlock]:
    """The residual blocks of a network by name, in the order in which they act."""
    return {name: module for name, module in network.named_modules() if isinstance(module, ResidualBlock)}
