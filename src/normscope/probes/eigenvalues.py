"""The largest eigenvalues of the loss's Hessian, and how much of the gradient lies among their vectors."""

import torch
from torch import Tensor

from normscope.lanczos import Krylov, lanczos, length, make_orthogonal, signs
from normscope.measurement import Measurement
from normscope.record import StepRecord
from normscope.vectors import flattened, norm_l2, unflattened


def eigenvalues(record: StepRecord, *, count: int, products: int, tolerance: float) -> Measurement:
    """How curved the loss is where it is most curved.

    With H = ∇²L(θ), L the minimised objective on the step's batch, BatchNorm in training mode:
        λ_1 ≥ .. ≥ λ_k and the smallest eigenvalue, by the Lanczos iteration
        λ_1 η, η the learning rate: above 2, gradient descent on a parabola diverges; full-batch training hovers about
            that value (Cohen et al. 2021, arXiv:2103.00065), with heavy-ball momentum β about 2 (1 + β). Trained on
            mini-batches, their own λ_1 may stay above it; see `batch_sharpness` for what stands at 2 then
        λ_1 / λ_k, and Σ ⟨u_i, g⟩² / ‖g‖² over the k eigenvectors u_i: without BatchNorm outliers leave the bulk of the
            spectrum and the gradient lies in their span (Ghorbani et al. 2019, arXiv:1901.10159, k = 10)
    ReLU and max pooling have no second derivative of their own: H is that of the piece of L around θ.

    Residuals say how far to trust them: λ_i is within ‖H u_i − λ_i u_i‖ of an eigenvalue of H, and nearly always much
    closer. The smallest one is a by-product that nothing waits for. An eigenvalue that repeats may count once.

    A product costs 2.1 passes (forward and backward), the graph that all share 1.2, and g is the step's own. The
    memory is that of `products` times the weights.

    Args:
        record: one training step.
        count: k, at least 1.
        products: at most so many Hessian-vector products, at least k.
        tolerance: stop when ‖H u_i − λ_i u_i‖ / |λ_i| of all k is below, > 0.
    Returns:
        scalars `curvature/eigenvalue_X`, X = 1 .. k and min; `curvature/residual`, the largest ratio of those that are
        waited for, and `curvature/residual_min`; `curvature/lambda_lr`; `curvature/eigenvalue_ratio` (λ_1 / λ_k);
        `curvature/gradient_in_top_k` (k as a number), in [0, 1]; `curvature/products` (made). All nan where H is.
    Raises:
        ValueError: if count, products or tolerance is out of range.
    """
    size = sum(weight.numel() for weight in record.weights.values())
    check_options(count, products, tolerance, size)
    gradient = flattened(record.base[1])
    generator = record.generator("eigenvalues")
    found = lanczos(
        lambda vector: flattened(record.hessian(unflattened(vector, record.weights))),
        signs(size, generator, gradient.dtype),
        generator=generator,
        products=products,
        enough=lambda krylov: (
            bool((relative_residuals(krylov)[:count] <= tolerance).all()) and len(krylov.basis) >= count
        ),
    )
    device = gradient.device
    values, vectors = (tensor.to(device) for tensor in found.ritz)
    residuals = relative_residuals(found).to(device)
    top = torch.cat([values, values.new_full((count,), torch.nan)])[:count]  # fewer are found where H is not finite
    along = vectors[:, :count].T @ make_orthogonal(gradient, found.basis)  # ⟨u_i, g⟩, (k,)
    scalars = {f"curvature/eigenvalue_{i}": value for i, value in enumerate(top, 1)}
    scalars |= {
        "curvature/eigenvalue_min": values[-1],
        "curvature/residual": residuals[:count].max(),
        "curvature/residual_min": residuals[-1],
        "curvature/lambda_lr": top[0] * record.lr,
        "curvature/eigenvalue_ratio": top[0] / top[-1],
        f"curvature/gradient_in_top_{count}": (length(along) / norm_l2(record.base[1])).square(),
        "curvature/products": values.new_tensor(len(found.basis)),
    }
    return Measurement(scalars)


def relative_residuals(found: Krylov) -> Tensor:
    """‖H y_i − θ_i y_i‖ / |θ_i| of each Ritz pair, from the largest θ down; 0 where H y_i and θ_i both vanish."""
    return found.residuals / found.ritz[0].abs().clamp_min(torch.finfo(torch.float64).tiny)


def check_options(count: int, products: int, tolerance: float, size: int) -> None:
    """Raise ValueError if the options make no sense, or if there are fewer weights than eigenvalues are asked for."""
    if not 1 <= count <= size:
        raise ValueError(
            f"probe.eigenvalues: count ({count}) must be at least 1 and at most the number of weights ({size:,})"
        )
    if products < count:
        raise ValueError(
            f"probe.eigenvalues: products ({products}) must be at least count ({count}), and 5 to 10 times as many "
            "until the residuals are small"
        )
    if not tolerance > 0:
        raise ValueError(
            f"probe.eigenvalues: tolerance ({tolerance}) must be > 0 (in units of the eigenvalue); try 0.01"
        )
