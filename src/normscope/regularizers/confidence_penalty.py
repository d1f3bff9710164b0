"""A penalty on confident answers."""

from torch import Tensor
from torch.nn import functional as F

from normscope.regularizers.rules import Course, TrainingRule, Weights, refuse_other_losses


class ConfidencePenalty(TrainingRule):
    """Minus the entropy of the network's answers, so that an answer is only as sure as it needs to be.

        −β (1/N) Σ H(p),   H(p) = −Σ_k p_k log p_k

    Pereyra et al. 2017, arXiv:1701.06548, section 3. But for a constant it is β times the divergence from the answers
    to the uniform distribution, KL(p ‖ u); label smoothing takes KL(u ‖ p).

    Args:
        strength: β, at least 0.
    Raises:
        ValueError: if strength is negative, or (by `begin`) if the loss is not the mean cross-entropy.
    """

    def __init__(self, *, strength: float) -> None:
        if strength < 0:
            raise ValueError(f"strength ({strength}) must be at least 0")
        self.strength = strength

    def begin(self, course: Course) -> None:
        """Refuse other losses."""
        refuse_other_losses("confidence_penalty", course)

    def __call__(self, logits: Tensor, targets: Tensor, weights: Weights) -> Tensor:
        """Logits (N, K) -> a scalar in nats, within [−β ln K, 0]."""
        log_probabilities = F.log_softmax(logits, 1)
        return self.strength * (log_probabilities.exp() * log_probabilities).sum(1).mean()
