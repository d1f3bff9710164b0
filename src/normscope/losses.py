"""How far a network's outputs are from its targets."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

REDUCTIONS = ("mean", "sum")


@dataclass(frozen=True)
class Loss:
    """(outputs (N, K), targets (N, K) or labels (N,) int64) -> scalar.

    Attributes:
        function: the same with a keyword `reduction`.
        reduction: mean or sum over the N examples.
        of_probabilities: whether targets must be probabilities; else they are any numbers.
    """

    function: Callable[..., Tensor]
    reduction: str
    of_probabilities: bool

    def __post_init__(self) -> None:
        if self.reduction not in REDUCTIONS:
            raise ValueError(f"reduction ({self.reduction}) of a loss must be {' or '.join(REDUCTIONS)}")

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return self.function(outputs, targets, reduction=self.reduction)

    def total(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The sum over these examples, whatever the reduction: a split is added up part by part."""
        return self.function(outputs, targets, reduction="sum")

    def of_total(self, total: float, count: int) -> float:
        """The loss of `count` examples from their sum."""
        return total / count if self.reduction == "mean" else total

    def of_guessing(self, targets: Tensor) -> float:
        """The loss of outputs that are all zero, which know nothing: ln K for the mean cross-entropy of K classes.

        Raises:
            ValueError: if the targets are not what the loss is defined for, or are all zero themselves.
        """
        targets = targets.double()
        if self.of_probabilities and not ((targets >= 0).all() and ((targets.sum(1) - 1).abs() < 1e-4).all()):
            raise ValueError(
                "cross-entropy compares probabilities of classes, and the targets here are numbers; "
                "choose loss=squared_error"
            )
        guess = float(self(torch.zeros_like(targets), targets))
        if guess == 0:
            raise ValueError("the targets of the first batch are all zero, so that nothing is left to learn")
        return guess


def cross_entropy(reduction: str) -> Loss:
    """Cross-entropy of the softmax, in nats: −Σ_k t_k log softmax(y)_k for outputs y and probabilities t.

    Args:
        reduction: mean or sum over the examples.
    Raises:
        ValueError: if the reduction is another.
    """
    return Loss(F.cross_entropy, reduction, of_probabilities=True)


def squared_error(reduction: str) -> Loss:
    """Squared l2 distance ‖y − t‖² = Σ_k (y_k − t_k)² of outputs y and targets t.

    Santurkar et al. 2018, arXiv:1805.11604, appendix A.1 (the deep linear network): only the sum over its 1000 samples
    gives losses as large as its figures show. Of classes it is the distance to one-hot targets. The mean is over the
    examples, not over the K outputs as well as in torch's mse_loss.

    Args:
        reduction: mean or sum over the examples.
    Raises:
        ValueError: if the reduction is another.
    """
    return Loss(squared_distance, reduction, of_probabilities=False)


def squared_distance(outputs: Tensor, targets: Tensor, *, reduction: str) -> Tensor:
    """Σ_k (y_k − t_k)², its mean or sum over the examples; labels (N,) stand for one-hot targets."""
    if not targets.is_floating_point():
        targets = F.one_hot(targets, outputs.shape[1])
    total = (outputs - targets).square().sum()
    return total / len(outputs) if reduction == "mean" else total
