"""The blocks of a network, as transfer learning counts them."""

from torch import nn

from normscope.weight_layers import weight_layers

Block = tuple[str, ...]  # the names of the network's children that it is made of


def blocks(network: nn.Module) -> tuple[Block, ...]:
    """The children of a network that hold a convolution or fully connected layer, from the images to the outputs.

    A layer of a VGG or MLP, the stem and each residual block of a ResNet; the last one is the head. A child that has
    parameters and no such layer (the number that Fixup adds before the classifier) belongs to the block before it.
    """
    found: list[Block] = []
    for name, child in network.named_children():
        if weight_layers(child):
            found.append((name,))
        elif found and any(True for _ in child.parameters()):
            found[-1] += (name,)
    return tuple(found)


def named(some: tuple[Block, ...]) -> str:
    """What people call these blocks: "layer1 to layer6", or "none"."""
    if len(some) < 2:
        return some[0][0] if some else "none"
    return f"{some[0][0]} to {some[-1][0]}"
