"""Label smoothing, as a term beside the cross-entropy."""

from torch import Tensor
from torch.nn import functional as F

from normscope.regularizers.rules import Course, TrainingRule, Weights, refuse_other_losses


class LabelSmoothing(TrainingRule):
    """What turns the cross-entropy with the targets into that with targets of which a share ε is spread evenly.

        H((1 − ε) t + ε/K, p) − H(t, p) = ε (H(1/K, p) − H(t, p))

    Szegedy et al. 2016, arXiv:1512.00567, section 7. Added to the cross-entropy it is PyTorch's own `label_smoothing`;
    `train/loss` stays the cross-entropy with the targets as they are.

    Args:
        smoothing: ε, in [0, 1).
    Raises:
        ValueError: if smoothing is outside [0, 1), or (by `begin`) if the loss is not the mean cross-entropy.
    """

    def __init__(self, *, smoothing: float) -> None:
        if not 0 <= smoothing < 1:
            raise ValueError(f"smoothing ({smoothing}) must lie within [0, 1)")
        self.smoothing = smoothing

    def begin(self, course: Course) -> None:
        """Refuse other losses."""
        refuse_other_losses("label_smoothing", course)

    def __call__(self, logits: Tensor, targets: Tensor, weights: Weights) -> Tensor:
        """Logits and probabilities (N, K) -> a scalar in nats, negative where the targets are the less likely."""
        uniform = -F.log_softmax(logits, 1).mean()
        return self.smoothing * (uniform - F.cross_entropy(logits, targets))
