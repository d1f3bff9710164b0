"""How much of the gradient BatchNorm takes out on its way back, and whether theorem 4.1 says so."""

import torch
from torch import Tensor

from normscope.measurement import Measurement
from normscope.probes.norm_units import Units, batch_norms, columns, gammas, gradient_through_logits, largest
from normscope.probes.theorems import fact_c1_error, reduction_factor, theorem_4_1_sides
from normscope.record import StepRecord

BANDS = {
    "share of the squared gradient that BatchNorm takes out": (
        "theorems/reduction",
        "theorems/reduction_p15",
        "theorems/reduction_p85",
    )
}
READS = ("norm_inputs", "norm_input_gradients", "norm_output_gradients")


def reduction(record: StepRecord) -> Measurement:
    """How much of the gradient BatchNorm takes out on its way back through each layer.

    Santurkar et al. 2018, arXiv:1805.11604, theorem 4.1. Of a unit with inputs y and outputs z = γ ŷ + β, the share
        1 − |∂L/∂y|² σ² / (γ² |∂L/∂z|²)
    of the squared gradient is lost beyond the scaling by γ/σ: that along 1, which is (∂L/∂β)² / (m |∂L/∂z|²), and
    that along ŷ, (∂L/∂γ)² / (m |∂L/∂z|²). Where γ and β have come to rest, it is what their gradients spread from
    batch to batch. Units whose gradient is 0, or whose γ is, count nowhere.

    A gradient that points nowhere in particular loses 2/m, two directions of m: little in a convolution, whose m is
    N * H * W. In float32 a share below 1e-5 is rounding (its two parts are not), and the errors below are those of
    the arithmetic; with probe_precision=fp64 they are the theorem's. One forward and one backward pass at θ_t.

    Returns:
        scalars `theorems/reduction`, `theorems/reduction_p15`, `theorems/reduction_p85`: median and percentiles of
        the share over all units of the network; and `theorems/<layer>/`
        `reduction`, `reduction_p15`, `reduction_p85`: the same over the layer's units;
        `reduction_along_ones`, `reduction_along_normalised`: medians of its two parts;
        `gap_4_1`, `violation_4_1`: largest |left − right| / right and left/right − 1 (or 0) of theorem 4.1; it is an
            equality up to ε;
        `error_c1`: largest |gy − (γ/σ) P gz| / |gy|, Fact C.1, true at every ε;
        `error_beta`, `error_gamma`: |⟨1,gz⟩ − ∂L/∂β| / |∂L/∂β| and |⟨gz,ŷ⟩ − ∂L/∂γ| / |∂L/∂γ|, norms over the units;
        `gamma_gradient_positive`: share of units with ⟨gz,ŷ⟩ > 0.
    Raises:
        ValueError: if the network has no BatchNorm.
    """
    norms = batch_norms(record.network)
    inputs, gys, gzs = (record.layer_values(kind) for kind in READS)
    learned = gradient_through_logits(
        record, [f"{layer}.norm.{name}" for layer, norm in norms.items() for name, _ in norm.named_parameters()]
    )
    scalars: dict[str, Tensor | float] = {}
    lost = []
    for layer, norm in norms.items():
        y, gy, gz = (columns(values[layer]) for values in (inputs, gys, gzs))
        units = Units(y, gy, gz, gammas(record, layer, y.shape[1]), norm.eps)
        lost.append(reduction_factor(units))
        found = distribution(lost[-1]) | parts(units) | errors(units)
        for name, mine in (("beta", units.along_ones), ("gamma", units.along_normalised)):
            parameter = f"{layer}.norm.{'bias' if name == 'beta' else 'weight'}"
            if parameter in learned:
                found[f"error_{name}"] = (mine - learned[parameter]).norm() / learned[parameter].norm()
        scalars |= {f"theorems/{layer}/{name}": value for name, value in found.items()}
    scalars |= {f"theorems/{name}": value for name, value in distribution(torch.cat(lost)).items()}
    return Measurement(scalars)


def distribution(lost: Tensor) -> dict[str, Tensor]:
    """Median and percentiles of the reduction over units (U,), those with nan left out."""
    low, median, high = torch.nanquantile(lost, torch.linspace(0.15, 0.85, 3, dtype=lost.dtype, device=lost.device))
    return {"reduction": median, "reduction_p15": low, "reduction_p85": high}


def parts(units: Units) -> dict[str, Tensor]:
    """Along which directions of a unit's gradient the reduction falls."""
    whole = units.m * units.gz_squared
    alive = torch.where(whole > 0, 1.0, torch.nan)
    return {
        "reduction_along_ones": (units.along_ones.square() / whole).nanmedian(),
        "reduction_along_normalised": (units.along_normalised.square() / whole).nanmedian(),
        "gamma_gradient_positive": ((units.along_normalised > 0) * alive).nanmean(),
    }


def errors(units: Units) -> dict[str, Tensor]:
    """The largest deviations from theorem 4.1 and Fact C.1 among a layer's units."""
    left, right = theorem_4_1_sides(units)
    excess = (left - right) / right
    return {
        "gap_4_1": largest(excess.abs()),
        "violation_4_1": largest(excess).clamp(min=0),
        "error_c1": largest(fact_c1_error(units)),
    }
