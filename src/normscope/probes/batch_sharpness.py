"""The curvature of a batch's loss along the batch's own gradient."""

from normscope.measurement import Measurement
from normscope.record import StepRecord
from normscope.vectors import inner


def batch_sharpness(record: StepRecord) -> Measurement:
    """How curved the loss of a mini-batch is in the direction in which that batch pushes.

    Andreyev & Beneventano 2024, arXiv:2412.20553:
        gᵀ H g / ‖g‖²,  g = ∇L(θ) and H = ∇²L(θ) of the same batch, BatchNorm in training mode
    Times the learning rate η it hovers about 2 in training by SGD, its mean over batches that is: this is one of them,
    so average over neighbouring occasions. With momentum β the value is 2 (1 − β) in small batches and 2 (1 + β) in
    large ones (arXiv:2604.14108). It lies between the smallest and the largest eigenvalue of H (see `eigenvalues`), and
    Santurkar et al.'s effective β for a small step, ‖H g‖ / ‖g‖, is at least as large (see `along_gradient`).

    It costs one Hessian-vector product, 2.1 passes (forward and backward), and its graph, 1.2; g is the step's own.

    Args:
        record: one training step.
    Returns:
        scalars `curvature/batch_sharpness` (nats per squared unit of weight), `curvature/batch_sharpness_lr` (x η);
        nan where the gradient vanishes.
    """
    gradient = record.base[1]
    sharpness = inner(gradient, record.hessian(gradient)) / inner(gradient, gradient)
    return Measurement({"curvature/batch_sharpness": sharpness, "curvature/batch_sharpness_lr": sharpness * record.lr})
