"""Newton's method, with the whole Hessian."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn


def newton_direction(gradient: Tensor, hessian: Tensor, *, damping: float) -> Tensor:
    """−(H + damping I)⁻¹ g, e.g. Nocedal & Wright 2006, "Numerical optimization", section 3.3; damping as in
    Levenberg 1944.

    It leads to where the quadratic model of the objective has no slope: to its minimum if all eigenvalues of H are
    above −damping, else to a saddle or a maximum.

    Args:
        gradient: (D,).
        hessian: (D, D), symmetric.
    Returns:
        (D,); not finite where the matrix is singular.
    """
    damped = hessian + damping * torch.eye(len(gradient), dtype=hessian.dtype, device=hessian.device)
    return -torch.linalg.solve_ex(damped, gradient).result


def gradient_and_hessian(objective: Tensor, weights: list[nn.Parameter]) -> tuple[Tensor, Tensor]:
    """g (D,) and H (D, D) of a scalar by differentiating twice, one row of H after another.

    Args:
        objective: with its graph.
        weights: D numbers in all, in this order.
    """
    first = torch.autograd.grad(objective, weights, create_graph=True, materialize_grads=True)
    gradient = torch.cat([part.reshape(-1) for part in first])  # (D,)
    hessian = torch.zeros(len(gradient), len(gradient), dtype=gradient.dtype, device=gradient.device)
    chosen = torch.zeros_like(gradient)
    for number, row in enumerate(hessian):  # not batched: vmap knows no convolution in channels_last
        chosen[number] = 1
        second = torch.autograd.grad(gradient, weights, chosen, retain_graph=True, materialize_grads=True)
        chosen[number] = 0
        torch.cat([part.reshape(-1) for part in second], out=row)
    return gradient.detach(), hessian


class Newton(torch.optim.Optimizer):
    """w <- w − lr (H + damping I)⁻¹ g with all D² second derivatives: lr = 1 is Newton's own step.

    For small problems: memory grows as D², time as D backward passes and D³ operations a step.

    Args:
        params: the weights.
        lr: 1 for the full step.
        damping: added to the eigenvalues of H, at least 0; in units of the objective per squared weight. A network
            with ReLUs has a singular H.
        most_weights: the largest D.
        mini_batches: whether a batch may be less than the training split.
    Raises:
        ValueError: if damping is negative, or there are more weights than `most_weights`.
    """

    def __init__(
        self, params: Iterable[nn.Parameter], lr: float, damping: float, most_weights: int, mini_batches: bool
    ) -> None:
        if damping < 0:
            raise ValueError(f"damping ({damping}) must be at least 0")
        super().__init__(params, {"lr": lr, "damping": damping})
        self.full_batch = not mini_batches
        count = sum(weight.numel() for weight in self._weights())
        if count > most_weights:
            raise ValueError(
                f"the network has {count:,} weights, more than most_weights ({most_weights:,}): Newton's Hessian would "
                f"take {4 * count**2 / 1e9:,.3g} GB and {count:,} backward passes a step; take a smaller network, e.g. "
                "model=mlp model.hidden_layers=1 model.hidden_units=2, or optimizer=lbfgs"
            )

    def _weights(self) -> list[nn.Parameter]:
        return [weight for group in self.param_groups for weight in group["params"]]

    @torch.no_grad()
    def step(self, closure: Callable[..., Tensor]) -> Tensor:  # type: ignore[override]
        """Move; `closure(backward=False)` evaluates the objective with its graph. Leaves g in `.grad`."""
        weights, group = self._weights(), self.param_groups[0]
        with torch.enable_grad():
            objective = closure(backward=False)
            gradient, hessian = gradient_and_hessian(objective, weights)
        direction = newton_direction(gradient, hessian, damping=group["damping"])
        sizes = [weight.numel() for weight in weights]
        for weight, slope, way in zip(weights, gradient.split(sizes), direction.split(sizes), strict=True):
            weight.grad = slope.view_as(weight)
            weight.add_(way.view_as(weight), alpha=group["lr"])
        return objective.detach()
