"""L-BFGS: the inverse Hessian as the last few steps show it."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn


class LBFGS(torch.optim.LBFGS):
    """w <- w − t H g, where H, an approximation of the inverse Hessian, follows from the last `history_size` pairs
    s = change of w, y = change of g.

    Liu & Nocedal 1989, Mathematical Programming 45, algorithm 2.1, in PyTorch's implementation. It looks at the
    objective several times a step, so it is made for one that stays the same: the full batch, without augmentation or
    dropout. On mini-batches y holds the difference of the batches too, and H is wrong.

    Args:
        params: the weights.
        lr: the step length t with which the line search begins; without a search t itself. The first step has
            min(1, 1/Σ|g|) times that, because H is the identity there.
        max_iter: iterations a step; with 1, a step is what it is elsewhere.
        max_eval: evaluations of the objective a step, at most.
        history_size: pairs (s, y) that are kept, each twice as large as the weights.
        line_search_fn: strong_wolfe, or None for t = lr.
        mini_batches: whether a batch may be less than the training split.
    Raises:
        ValueError: if a number is out of range, or line_search_fn is another.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        lr: float,
        max_iter: int,
        max_eval: int,
        history_size: int,
        line_search_fn: str | None,
        mini_batches: bool,
    ) -> None:
        if max_iter < 1 or max_eval < 2 or history_size < 1:
            raise ValueError(
                f"max_iter ({max_iter}) and history_size ({history_size}) must be at least 1, "
                f"and max_eval ({max_eval}) at least 2"
            )
        if line_search_fn not in ("strong_wolfe", None):
            raise ValueError(f"line_search_fn ({line_search_fn}) must be strong_wolfe or null")
        super().__init__(
            params,
            lr=lr,
            max_iter=max_iter,
            max_eval=max_eval,
            history_size=history_size,
            line_search_fn=line_search_fn,
        )
        self.full_batch = not mini_batches

    def step(self, closure: Callable[[], Tensor]) -> Tensor:  # type: ignore[override]
        """Move; `closure` evaluates the objective and its gradient at the weights of the moment."""

        def in_rows() -> Tensor:
            objective = closure()
            for weight in self.param_groups[0]["params"]:  # PyTorch strings gradients together by view(-1)
                weight.grad = None if weight.grad is None else weight.grad.contiguous()
            return objective

        moved: Tensor = super().step(in_rows)
        return moved
