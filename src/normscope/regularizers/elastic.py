"""The elastic net: L1 and L2 together."""

from torch import Tensor

from normscope.regularizers.l1 import l1
from normscope.regularizers.l2 import l2
from normscope.regularizers.rules import Weights


def elastic(logits: Tensor, targets: Tensor, weights: Weights, *, strength_l1: float, strength_l2: float) -> Tensor:
    """The sum of both penalties: L1 selects among features, and L2 keeps those that go together.

        λ₁ Σ |w| + (λ₂/2) Σ ‖w‖²

    Zou & Hastie 2005, J. R. Stat. Soc. B 67, equation 3, where λ₂ stands without its half.

    Args:
        logits, targets: not looked at.
        weights: name -> parameter.
        strength_l1, strength_l2: λ₁ and λ₂, at least 0.
    Returns:
        A scalar in the unit of the loss.
    Raises:
        ValueError: if a strength is negative.
    """
    if min(strength_l1, strength_l2) < 0:
        raise ValueError(
            f"regularizer.elastic: strength_l1 ({strength_l1}) and strength_l2 ({strength_l2}) must be at least 0"
        )
    return l1(logits, targets, weights, strength=strength_l1) + l2(logits, targets, weights, strength=strength_l2)
