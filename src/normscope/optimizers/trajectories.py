"""The way of an optimizer over a surface of two weights: the ones that courses draw."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

Surface = Callable[[Tensor], Tensor]  # (2, ...) -> (...)
MakeOptimizer = Callable[[list[nn.Parameter]], torch.optim.Optimizer]


def ravine(w: Tensor) -> Tensor:
    """x²/20 + y²: twenty times as steep across as along; the minimum is (0, 0). Saitoh 2016, "Deep Learning from
    Scratch", section 6.1."""
    return w[0] ** 2 / 20 + w[1] ** 2


def saddle(w: Tensor) -> Tensor:
    """x²/2 − y²/2 + y⁴/4: a saddle in (0, 0) between the minima (0, 1) and (0, −1), where it is −1/4."""
    return w[0] ** 2 / 2 - w[1] ** 2 / 2 + w[1] ** 4 / 4


def two_minima(w: Tensor) -> Tensor:
    """(x² − 1)² + 3x/10 + y²/2: a local minimum near (0.96, 0) and a lower one near (−1.04, 0)."""
    return (w[0] ** 2 - 1) ** 2 + 0.3 * w[0] + w[1] ** 2 / 2


def rosenbrock(w: Tensor) -> Tensor:
    """(1 − x)² + 100 (y − x²)²: a bent, flat valley that leads to the minimum (1, 1). Rosenbrock 1960."""
    return (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2


def trajectory(surface: Surface, start: Sequence[float], make_optimizer: MakeOptimizer, steps: int) -> np.ndarray:
    """The points (steps + 1, 2) that an optimizer goes through, in float64.

    Args:
        surface: what is minimised.
        start: (x, y).
        make_optimizer: [w] -> optimizer; its steps are taken with the exact gradient.
        steps: updates.
    """
    w = nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimizer = make_optimizer([w])

    def objective(backward: bool = True) -> Tensor:
        optimizer.zero_grad()
        value = surface(w)
        if backward:
            value.backward()
        return value

    way = [w.detach().clone()]
    for _ in range(steps):
        optimizer.step(objective)  # type: ignore[arg-type]
        way.append(w.detach().clone())
    return torch.stack(way).numpy()
