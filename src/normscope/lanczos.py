"""The Lanczos iteration: a large symmetric matrix, known by its products alone, seen through a small one."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

Product = Callable[[Tensor], Tensor]  # v -> H v, (D,) -> (D,)


@dataclass(frozen=True)
class Krylov:
    """H between the orthonormal vectors q_1 .. q_m: T = Q H Qᵀ, tridiagonal, and what T says of H.

    Attributes:
        basis: Q, its rows q_1 .. q_m, (m, D), where the vectors are.
        diagonal, off_diagonal: α_1 .. α_m and β_1 .. β_m, on the host in float64; β_m = ‖H q_m − its part in the
            space‖ is no part of T, and 0 where the space is invariant.
    """

    basis: Tensor
    diagonal: Tensor
    off_diagonal: Tensor

    @property
    def is_finite(self) -> bool:
        """Whether H was, as far as it was seen."""
        return bool(torch.isfinite(self.diagonal + self.off_diagonal).all())

    @cached_property
    def ritz(self) -> tuple[Tensor, Tensor]:
        """The eigenvalues θ of T from the largest down, (m,), and its eigenvectors s as columns, (m, m), on the host.

        θ_i and Qᵀ s_i stand for an eigenvalue and its eigenvector of H. All are nan if H is not finite.
        """
        if not self.is_finite:
            nan = torch.full_like(self.diagonal, torch.nan)
            return nan, nan.diag_embed() + nan
        inner = self.off_diagonal[:-1]
        values, vectors = torch.linalg.eigh(self.diagonal.diag() + inner.diag(1) + inner.diag(-1))
        return values.flip(0), vectors.flip(1)

    @property
    def residuals(self) -> Tensor:
        """‖H y_i − θ_i y_i‖₂ = |β_m s_mi| of each Ritz pair, (m,): an eigenvalue of H lies no farther from θ_i."""
        return (self.off_diagonal[-1] * self.ritz[1][-1]).abs()

    @property
    def weights(self) -> Tensor:
        """w_i = s_1i², the share of q_1 in Ritz vector i, (m,): Σ w_i f(θ_i) is Gauss's quadrature of q_1ᵀ f(H) q_1."""
        return self.ritz[1][0].square()


def lanczos(
    product: Product,
    start: Tensor,
    *,
    generator: torch.Generator,
    products: int,
    enough: Callable[[Krylov], bool] | None = None,
) -> Krylov:
    """Project H onto the space spanned by v, H v, H² v, ...

    Lanczos 1950; Golub & Van Loan, Matrix Computations, section 10.1. Each new vector is made orthogonal to all
    earlier ones, and once more to what rounding left (twice is enough: Parlett, The Symmetric Eigenvalue Problem,
    section 6.9): without it float32 finds the largest eigenvalue again and again. In memory that is `products` vectors
    of D numbers (for VGG11's 9.2 M weights 37 MB each in float32), in time about 8 m D operations at the m-th product.

    Where the space is exhausted (β = 0: all of its vectors are known, as for a matrix with few distinct eigenvalues),
    the iteration goes on in a fresh direction until the products are spent: copies of an eigenvalue may lie there.

    Args:
        product: v -> H v in a new tensor, with H symmetric.
        start: v, (D,), not 0. What it is orthogonal to is not found: take a random one.
        generator: of fresh directions.
        products: at most so many products; never more than D.
        enough: asked after each product whether what is found will do; None spends them all.
    Returns:
        What was found after the last product.
    """
    basis = start.new_empty(min(products, start.numel()), start.numel())
    basis[0] = start / length(start)
    diagonal: list[float] = []
    off_diagonal: list[float] = []
    for number in range(1, len(basis) + 1):
        known = basis[:number]
        remainder = product(known[-1])
        along, size = make_orthogonal(remainder, known), length(remainder)
        alpha, beta = torch.stack([along[-1], size]).tolist()  # the host decides whether to go on
        diagonal.append(alpha)
        exhausted = beta <= 10 * torch.finfo(start.dtype).eps * max(map(abs, [*diagonal, *off_diagonal]))
        off_diagonal.append(0.0 if exhausted else beta)
        found = Krylov(known, *torch.tensor([diagonal, off_diagonal], dtype=torch.float64))
        is_enough = enough is not None and 0.0 not in off_diagonal and enough(found)
        if is_enough or number == len(basis) or not found.is_finite:
            break
        if exhausted:
            remainder = torch.randn(start.shape, generator=generator, dtype=start.dtype, device=start.device)
            make_orthogonal(remainder, known)
            size = length(remainder)
        basis[number] = remainder.div_(size)
    return found


def make_orthogonal(vector: Tensor, basis: Tensor) -> Tensor:
    """Take the part in the span of the orthonormal rows of `basis` (m, D) out of a vector (D,), in place.

    The second round also takes out what the first one's rounding left, 1e-4 for millions of numbers in float32.

    Returns:
        The coefficients of what was taken out, (m,), float64.
    """
    taken = torch.zeros(len(basis), dtype=torch.float64, device=vector.device)
    for _ in range(2):
        along = basis @ vector
        vector.addmv_(basis.T, along, alpha=-1)
        taken += along
    return taken


def length(vector: Tensor) -> Tensor:
    """‖vector‖₂, summed and returned in float64: in float32 it would be off by 3e-4 for millions of numbers."""
    return torch.linalg.vector_norm(vector, dtype=torch.float64)


def signs(size: int, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    """A random vector of +1 and −1 (Rademacher), (size,), on the generator's device.

    E[z zᵀ] = 1, and of all such vectors it is the one whose zᵀ H z scatters least (Hutchinson 1990).
    """
    return torch.randint(2, (size,), generator=generator, device=generator.device).to(dtype).mul_(2).sub_(1)
