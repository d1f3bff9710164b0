"""The Hessian of a small network as a dense matrix, by plain autograd."""

from functools import cache

import torch
from torch import Tensor
from torch.func import functional_call

from normscope.record import StepRecord
from tests.recorded import cross_entropy, small_record


def seeded_record(dtype: torch.dtype = torch.float64) -> StepRecord:
    """`small_record` with the same dropout mask on every call."""
    with torch.random.fork_rng():
        torch.manual_seed(2)
        return small_record(dtype)


@cache
def dense_hessian() -> tuple[Tensor, Tensor]:
    """∇L (D,) and ∇²L (D, D) of `seeded_record`, row by row, through PyTorch's own BatchNorm."""
    record = seeded_record()
    points = {name: weight.clone().requires_grad_() for name, weight in record.weights.items()}
    with torch.random.fork_rng():
        torch.set_rng_state(record.random_state)
        logits = functional_call(record.network, {**points, **record.buffers}, (record.images,))
    loss = cross_entropy(logits, record.targets, points)
    gradient = flat(torch.autograd.grad(loss, list(points.values()), create_graph=True))
    unit = torch.eye(len(gradient), dtype=gradient.dtype)
    rows = torch.autograd.grad(gradient, list(points.values()), unit, is_grads_batched=True)
    return gradient.detach(), torch.cat([row.reshape(len(gradient), -1) for row in rows], 1)


def flat(tensors) -> Tensor:
    return torch.cat([tensor.reshape(-1) for tensor in tensors])


def products_made(record) -> list[int]:
    """A list that grows by one with every Hessian-vector product of this record."""
    made: list[int] = []
    product = record.hessian
    record.__dict__["hessian"] = lambda vector: made.append(1) or product(vector)
    return made
