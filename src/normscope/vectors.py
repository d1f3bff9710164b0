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


def inner(left: Vector, right: Vector) -> Tensor:
    """⟨left, right⟩ over all entries of all tensors, a float64 scalar."""
    products = [torch.sum(left[name] * right[name], dtype=torch.float64) for name in left]
    return torch.stack(products).sum()


def norm_l2(vector: Vector) -> Tensor:
    """‖vector‖₂ over all entries of all tensors, a float64 scalar."""
    norms = [torch.linalg.vector_norm(tensor, dtype=torch.float64) for tensor in vector.values()]
    return torch.linalg.vector_norm(torch.stack(norms))


def distance_l2(left: Vector, right: Vector) -> Tensor:
    """‖left − right‖₂, a float64 scalar."""
    differences = [torch.linalg.vector_norm(left[name] - right[name], dtype=torch.float64) for name in left]
    return torch.linalg.vector_norm(torch.stack(differences))


def cosine(left: Vector, right: Vector) -> Tensor:
    """⟨left, right⟩ / (‖left‖₂ ‖right‖₂), a float64 scalar; nan where a norm is 0."""
    return inner(left, right) / (norm_l2(left) * norm_l2(right))


def flattened(vector: Vector) -> Tensor:
    """All entries as one tensor (D,), in the order of the names."""
    return torch.cat([tensor.reshape(-1) for tensor in vector.values()])


def unflattened(flat: Tensor, like: Vector) -> dict[str, Tensor]:
    """The inverse of `flattened`: (D,) cut into tensors with the names and shapes of `like`, without copies."""
    pieces = flat.split([tensor.numel() for tensor in like.values()])
    return {name: piece.view(tensor.shape) for (name, tensor), piece in zip(like.items(), pieces, strict=True)}
