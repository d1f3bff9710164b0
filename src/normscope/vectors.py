"""All weights of a network as one vector: a dict from name to tensor, and its geometry.

Sums over the D parameters are taken in float64, so that a norm does not depend on how the parameters are split
into tensors.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

Vector = Mapping[str, Tensor]


def moved(start: Vector, direction: Vector, step_size: float) -> dict[str, Tensor]:
    """start + step_size * direction, in new tensors."""
    names = list(start)
    ends = torch._foreach_add([start[n] for n in names], [direction[n] for n in names], alpha=step_size)
    return dict(zip(names, ends, strict=True))


def norm_l2(vector: Vector) -> Tensor:
    """‖vector‖₂ over all entries of all tensors, a float64 scalar."""
    norms = [torch.linalg.vector_norm(tensor, dtype=torch.float64) for tensor in vector.values()]
    return torch.linalg.vector_norm(torch.stack(norms))


def distance_l2(left: Vector, right: Vector) -> Tensor:
    """‖left − right‖₂, a float64 scalar."""
    return norm_l2({name: left[name] - right[name] for name in left})
