"""What an init fills."""

from torch import Tensor, nn

Layer = nn.Conv2d | nn.Linear


def zero(bias: Tensor | None) -> None:
    """Set a bias to 0, where there is one."""
    if bias is not None:
        nn.init.zeros_(bias)
