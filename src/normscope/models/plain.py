"""A residual network without its shortcuts."""

from collections import OrderedDict

from torch import nn

from normscope.models.residual_block import blocks_of


def plain(network: nn.Sequential) -> nn.Sequential:
    """Take the shortcuts away: activation(branch(x)) in place of activation(branch(x) + shortcut(x)).

    He et al. 2016, arXiv:1512.03385, section 3.3 and figure 3, middle: the plain networks whose training error grows
    with their depth. Layers keep their names, so that they start from the same weights as with shortcuts.

    Args:
        network: of residual blocks.
    Returns:
        The network with the blocks replaced by their layers and activation; changed in place.
    Raises:
        ValueError: if something ends the branches (stochastic depth): without a shortcut nothing gets past it.
    """
    for name, block in blocks_of(network).items():
        children = OrderedDict(block.named_children())
        if "branch" in children:
            raise ValueError(
                "plain: what skips a residual branch at random (stochastic depth) needs the shortcut, and here it is "
                "taken away; leave it out, or take model/residual=add"
            )
        children.pop("shortcut", None)
        setattr(network, name, nn.Sequential(children))
    return network
