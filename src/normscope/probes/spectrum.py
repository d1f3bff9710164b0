"""The density of the eigenvalues of the loss's Hessian."""

import torch
from torch import Tensor

from normscope.lanczos import lanczos, signs
from normscope.measurement import Histogram, Measurement
from normscope.record import StepRecord
from normscope.vectors import flattened, unflattened


def spectrum(record: StepRecord, *, vectors: int, products: int, bins: int, width: float) -> Measurement:
    """How many eigenvalues the Hessian has where.

    Stochastic Lanczos quadrature, Ghorbani et al. 2019, arXiv:1901.10159, section 3; H = ∇²L(θ) of the objective on
    the step's batch, BatchNorm in training mode. From a random vector z of ±1 the Lanczos iteration finds m nodes θ_i
    and weights w_i (Σ w_i = 1); with N a Gaussian of standard deviation σ
        density(t) = D · mean over z of Σ_i w_i N(t; θ_i, σ),  σ = width · (max θ − min θ)
    of which the histogram holds the integral over each of its bins: all counts add up to D, the number of weights.
    Nodes stand on the outliers and at the ends of the bulk; what is between is smooth, and finer with more products.
    An outlier counts 1 only on the average: with n vectors its count scatters by √(2/n).

    The counts reach from millions (directions that change nothing) to 1: look at them on a logarithmic axis.

    A product costs 2.1 passes (forward and backward), the graph that all share 1.2. The memory is that of `products`
    times the weights.

    Args:
        record: one training step.
        vectors: n, at least 1.
        products: m, for each of them, at least 2.
        bins: equal ones over all nodes and 3 σ on both sides, at least 2.
        width: of the Gaussian, in units of the range of the nodes, > 0.
    Returns:
        histogram `spectrum` (eigenvalues in nats per squared unit of weight); its Σx and Σx² are those of the nodes
        before smoothing, estimates of tr H and of ‖H‖²_F. Left out where H is not finite.
    Raises:
        ValueError: if an option is out of range.
    """
    if vectors < 1 or products < 2 or bins < 2 or not width > 0:
        raise ValueError(
            f"probe.spectrum: vectors ({vectors}) must be at least 1, products ({products}) and bins ({bins}) at least "
            f"2, and width ({width}) > 0"
        )
    generator = record.generator("spectrum")
    size = sum(weight.numel() for weight in record.weights.values())
    dtype = next(iter(record.weights.values())).dtype
    found = []
    for _ in range(vectors):
        krylov = lanczos(
            lambda vector: flattened(record.hessian(unflattened(vector, record.weights))),
            signs(size, generator, dtype),
            generator=generator,
            products=products,
        )
        found.append((krylov.ritz[0], krylov.weights))  # and not its basis: that is large
    nodes = torch.cat([values for values, _ in found])
    counts = torch.cat([weights for _, weights in found]) * (size / vectors)
    if not torch.isfinite(nodes).all():
        return Measurement()
    return Measurement(histograms={"spectrum": smoothed(nodes, counts, bins=bins, width=width)})


def smoothed(nodes: Tensor, counts: Tensor, *, bins: int, width: float) -> Histogram:
    """Spread each count about its node by a Gaussian, and gather what falls into each of equal bins.

    What the Gaussians put beyond the last edges, 3 σ from the outermost nodes, goes to the outermost bins.

    Args:
        nodes, counts: where and how many, (m,), float64.
        width: σ in units of the range of the nodes; of 1 where all nodes are equal.
    """
    low, high = nodes.min(), nodes.max()
    sigma = width * torch.where(high > low, high - low, torch.ones_like(high))
    edges = torch.lerp(low - 3 * sigma, high + 3 * sigma, torch.linspace(0, 1, bins + 1, dtype=nodes.dtype))
    below = torch.special.ndtr((edges[:, None] - nodes) / sigma)  # (B+1, m): the share of each Gaussian below an edge
    below[0], below[-1] = 0, 1
    return Histogram(edges, below.diff(dim=0) @ counts, nodes @ counts, nodes.square() @ counts)
