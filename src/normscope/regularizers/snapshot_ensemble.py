"""An ensemble of the networks that one training comes by."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import log
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from normscope.regularizers.copies import copy_with, kept
from normscope.regularizers.rules import Course, TrainingRule


class Ensemble(nn.Module):
    """log of the mean over the members of softmax(logits): logits again, whose softmax is the members' mean answer."""

    def __init__(self, members: list[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, ...) -> (N, K)."""
        answers = torch.stack([F.log_softmax(member(inputs).float(), 1) for member in self.members])
        return answers.logsumexp(0) - log(len(self.members))


def ends_of_cycles(rates: Sequence[float]) -> Iterator[int]:
    """The numbers of updates after which a learning rate that fell rises again, however long it was at its lowest.

    Args:
        rates: of update 0, 1, ...
    """
    falls = False
    for updates, (before, after) in enumerate(pairwise(rates), 1):
        if after > before and falls:
            yield updates
        falls = after < before or (falls and after == before)


class SnapshotEnsemble(TrainingRule):
    """Keep the network wherever the learning rate has come down and is about to rise again, and score their mean
    answer.

        p(k | x) = (1/M) Σ_m softmax(f_m(x))_k

    Huang et al. 2017, arXiv:1704.00109, section 3. The schedule says where cycles end; the last one ends with the run.
    Before the first has ended the trained network is scored. A checkpoint keeps the members as the "snapshots" of its
    rules: parameters and buffers by name, the oldest first.

    Raises:
        ValueError: (by `begin`) if the learning rate never rises again, if another rule may stop the run within a
            cycle, or if the network's answers are no probabilities.
    """

    def __init__(self) -> None:
        self.ends: set[int] = set()  # updates made when a cycle ends
        self.snapshots: list[dict[str, Tensor]] = []

    def begin(self, course: Course) -> None:
        """Find the ends of the cycles."""
        if not course.of_probabilities:
            raise ValueError(
                "regularizer.snapshot_ensemble: it averages probabilities, and this loss has none; use "
                "loss=cross_entropy, or leave it out"
            )
        if any(type(rule).should_stop is not TrainingRule.should_stop for rule in course.rules):
            raise ValueError(
                "regularizer.snapshot_ensemble: it needs whole cycles, and another rule may stop the run within one; "
                "leave one of them out"
            )
        self.ends = {*ends_of_cycles([course.lr(step) for step in range(course.steps)]), course.steps}
        if len(self.ends) < 2:
            raise ValueError(
                "regularizer.snapshot_ensemble: with this schedule the learning rate never falls and rises again, so "
                "that there is one snapshot only; take schedule=restarts schedule.cycles=5 schedule.growth=1"
            )

    def after_step(self, network: nn.Module, step: int) -> None:
        """Keep the network at the end of a cycle."""
        if step + 1 in self.ends:
            self.snapshots.append(kept(network))

    def network(self, network: nn.Module) -> nn.Module:
        """The ensemble of what was kept so far."""
        return Ensemble([copy_with(network, state) for state in self.snapshots]) if self.snapshots else network

    def state(self) -> dict[str, Any]:
        """The members."""
        return {"snapshots": self.snapshots}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on with these members."""
        self.snapshots = state["snapshots"]
