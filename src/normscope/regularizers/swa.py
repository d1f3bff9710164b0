"""Stochastic weight averaging."""

from typing import Any

import torch
from torch import Tensor, nn

from normscope.regularizers.copies import copy_with
from normscope.regularizers.population_statistics import frozen_children, recompute_statistics
from normscope.regularizers.rules import Course, TrainingRule


class Swa(TrainingRule):
    """Score the plain mean of the weights that the last part of the run comes through.

        a <- (n a + w) / (n + 1),   n the number of weights taken before

    Izmailov et al. 2018, arXiv:1803.05407, algorithm 1: weights are taken at regular distances, counted back from the
    last update, and before each scoring the statistics of the norms are computed anew, by one pass of the averaged
    network through the training images. The learning rate should not fall to 0 in that part: take schedule=constant,
    or a cyclic one whose cycles end where the weights are taken. `frozen_statistics`, which are no running averages,
    stay those of the last weights.

    Args:
        start: share of the run after which weights are taken, in [0, 1).
        every: epochs from one taking to the next, above 0, rounded to whole updates.
    Raises:
        ValueError: if a value is out of range.
    """

    def __init__(self, *, start: float, every: float) -> None:
        if not 0 <= start < 1 or not every > 0:
            raise ValueError(f"start ({start}) must lie within [0, 1) and every ({every}) be positive")
        self.start, self.every = start, every
        self.course: Course | None = None
        self.average: dict[str, Tensor] = {}
        self.taken = 0

    def begin(self, course: Course) -> None:
        """Learn how long the run is, and what its training images are."""
        self.course = course

    def is_due(self, updates: int, course: Course) -> bool:
        """Whether weights are taken after so many updates."""
        distance = max(1, round(self.every * course.steps_per_epoch))
        return updates > self.start * course.steps and (course.steps - updates) % distance == 0

    @torch.no_grad()
    def after_step(self, network: nn.Module, step: int) -> None:
        """Take in the newest weights, where it is time."""
        assert self.course is not None, "begin comes first"
        if not self.is_due(step + 1, self.course):
            return
        self.taken += 1
        newest = {name: weight.detach() for name, weight in network.named_parameters()}
        if self.taken == 1:
            self.average = {name: weight.clone() for name, weight in newest.items()}
        else:
            torch._foreach_lerp_([*self.average.values()], [*newest.values()], 1 / self.taken)

    def network(self, network: nn.Module) -> nn.Module:
        """The averaged one with statistics of its own; before any weights were taken the network itself."""
        if not self.average or self.course is None:
            return network
        average = copy_with(network, self.average)
        recompute_statistics(average, self.course.pass_through, frozen=frozen_children(network))
        return average

    def state(self) -> dict[str, Any]:
        """The average, and of how many weights it is."""
        return {"average": self.average, "taken": self.taken}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on with this average."""
        self.average, self.taken = state["average"], state["taken"]
