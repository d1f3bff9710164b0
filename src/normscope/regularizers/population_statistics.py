"""The statistics of norms over all training images, in place of running averages."""

from collections.abc import Callable, Collection, Mapping

import torch
from torch import nn

from normscope.regularizers.copies import copy_with
from normscope.regularizers.rules import Course, TrainingRule


class PopulationStatistics(TrainingRule):
    """Score the network with the statistics that its norms have over the training images at its present weights.

        E[x] = E_B[μ_B],   Var[x] = m/(m − 1) E_B[σ²_B]

    Ioffe & Szegedy 2015, arXiv:1502.03167, algorithm 2, steps 8 to 10, over batches of m values of the run's size.
    Running averages, as frameworks have them, lag behind the weights; these do not. The training does not see it, and
    when the run ends the trained network takes the statistics over, so that its checkpoint holds them. Each scoring
    costs one more pass through the training images. A network without running averages is scored as it is.
    """

    def begin(self, course: Course) -> None:
        """Learn what the training images are."""
        self.pass_through = course.pass_through

    def network(self, network: nn.Module) -> nn.Module:
        """A copy with the statistics of now."""
        copy = copy_with(network, {})
        recompute_statistics(copy, self.pass_through, frozen_children(network))
        return copy

    def finish(self, network: nn.Module) -> Mapping[str, float]:
        """Give the trained network its statistics, those of its best weights where early stopping put these back."""
        network.load_state_dict(self.network(network).state_dict())
        return {}


def frozen_children(network: nn.Module) -> set[str]:
    """The children of a network that have parameters of which none learns."""
    parameters = {name: [*child.parameters()] for name, child in network.named_children()}
    return {name for name, own in parameters.items() if own and not any(weight.requires_grad for weight in own)}


@torch.no_grad()
def recompute_statistics(
    network: nn.Module, pass_through: Callable[[nn.Module], None], frozen: Collection[str] = ()
) -> None:
    """Set the running statistics of a network's norms to the plain mean over all batches that it is shown.

    Everything else is in evaluation mode meanwhile: no dropout, no noise. What a norm was asked to forget at which rate
    is left changed, so the network is to be scored, not trained further.

    Args:
        frozen: children whose norms keep the statistics that they have.
    """
    norms = normalising_by_batch(network, frozen)
    for norm in norms:
        norm.num_batches_tracked.zero_()  # type: ignore[operator]
    if norms:
        pass_through(network)
    network.eval()


def normalising_by_batch(network: nn.Module, frozen: Collection[str] = ()) -> list[nn.Module]:
    """Put a network in evaluation mode, but for its norms: these normalise by the batch, and their running statistics
    become the plain mean over the batches.

    Args:
        frozen: children whose norms stay in evaluation mode too.
    Returns:
        The norms.
    """
    network.eval()
    norms = [
        module
        for name, module in network.named_modules()
        if getattr(module, "running_mean", None) is not None and name.partition(".")[0] not in frozen
    ]
    for norm in norms:
        norm.training = True  # alone: what noise it has is a child
        norm.momentum = None  # PyTorch's word for the plain mean over the batches
    return norms
