"""The sum of all eigenvalues of the loss's Hessian."""

import math

import torch

from normscope.lanczos import signs
from normscope.measurement import Measurement
from normscope.record import StepRecord
from normscope.vectors import flattened, unflattened


def hessian_trace(record: StepRecord, *, vectors: int) -> Measurement:
    """How curved the loss is on the average over all directions, times their number.

    Hutchinson 1990: for random z with independent entries ±1
        tr H = E[zᵀ H z],  H = ∇²L(θ) of the objective on the step's batch, BatchNorm in training mode
    estimated by the mean over a few z, with its standard error. One z scatters by √(2 Σ_{i≠j} H_ij²): not at all for a
    diagonal H, and by more than the trace itself where eigenvalues of both signs cancel, as they do at the start of
    training.

    A vector costs one Hessian-vector product, 2.1 passes (forward and backward), and the graph that all share 1.2.

    Args:
        record: one training step.
        vectors: n, at least 2.
    Returns:
        scalars `curvature/trace` (nats per squared unit of weight) and `curvature/trace_error`, the standard deviation
        of the n values over √n.
    Raises:
        ValueError: if vectors is below 2.
    """
    if vectors < 2:
        raise ValueError(f"probe.hessian_trace: vectors ({vectors}) must be at least 2: their scatter is the error")
    generator = record.generator("hessian_trace")
    size = sum(weight.numel() for weight in record.weights.values())
    dtype = next(iter(record.weights.values())).dtype
    found = []
    for _ in range(vectors):
        z = signs(size, generator, dtype)
        product = flattened(record.hessian(unflattened(z, record.weights)))
        found.append(product.mul_(z).sum(dtype=torch.float64))
    spread, mean = torch.std_mean(torch.stack(found))
    return Measurement({"curvature/trace": mean, "curvature/trace_error": spread / math.sqrt(vectors)})
