"""The loss and its gradient along the gradient, at equal distances instead of equal step sizes."""

from collections.abc import Sequence

from torch import Tensor

from normscope.measurement import Measurement
from normscope.record import StepRecord
from normscope.turns import below_floor, turns
from normscope.vectors import norm_l2


def equal_distance(record: StepRecord, *, radii: Sequence[float]) -> Measurement:
    """How the loss and its gradient change at given distances from the weights, measured against their length.

    Santurkar et al. 2018, arXiv:1805.11604, section 3.2, walk by θ − η g with the same η for all networks. With
    BatchNorm the scale of the weights in front of it is arbitrary: c times the weights are the same function with a
    gradient of 1/c, and the same η is a walk 1/c² as far. The same curves at equal distance do not depend on c:
        θ_r = θ − r ‖θ‖₂ · g / ‖g‖₂,  g = ∇L(θ)
        L(θ_r),  ‖∇L(θ_r) − g‖₂ / ‖g‖₂  and the cosine of ∇L(θ_r) and g
    while ‖∇L(θ_r) − g‖₂ and the effective smoothness ‖∇L(θ_r) − g‖₂ / (r ‖θ‖₂) carry the scale 1/c and 1/c².
    ‖θ‖₂ is over all parameters, those of the norms too. K radii cost K forward and backward passes.

    Args:
        record: one training step.
        radii: r > 0, distances in units of ‖θ‖₂.
    Returns:
        scalars `equal_distance/{loss,gradient,relative,cosine,beta}/r_X` (nats; nats per unit of weight; -; -; nats
        per squared unit of weight), `equal_distance/weight_norm` (‖θ‖₂), and `equal_distance/below_floor/r_X` as
        in `along_gradient`; X is the radius.
    Raises:
        ValueError: if there is no radius, or one is not positive.
    """
    check_radii(radii)
    gradient = record.base[1]
    weight_norm = norm_l2(record.weights)
    stretch = weight_norm / norm_l2(gradient)
    direction = {name: tensor * stretch for name, tensor in gradient.items()}  # as long as θ
    by_radius = dict(zip((f"r_{radius:g}" for radius in radii), turns(record, direction, radii), strict=True))

    scalars: dict[str, Tensor | float] = {"equal_distance/weight_norm": weight_norm}
    for radius, (label, turn) in zip(radii, by_radius.items(), strict=True):
        scalars[f"equal_distance/loss/{label}"] = turn.loss
        scalars[f"equal_distance/gradient/{label}"] = turn.difference
        scalars[f"equal_distance/relative/{label}"] = turn.relative
        scalars[f"equal_distance/cosine/{label}"] = turn.cosine
        scalars[f"equal_distance/beta/{label}"] = turn.difference / (radius * weight_norm)
    return Measurement(scalars | below_floor(record, by_radius, "equal_distance"))


def check_radii(radii: Sequence[float]) -> None:
    """Raise ValueError unless there are radii and all are positive."""
    if not radii or not all(radius > 0 for radius in radii):
        raise ValueError(
            f"probe.equal_distance.radii ({list(radii)}) must be one or more numbers > 0, distances in units of the "
            "weights' norm; e.g. [0.001, 0.01, 0.1]"
        )
