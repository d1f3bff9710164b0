"""What Santurkar et al. 2018, arXiv:1805.11604, section 4 and appendix C, prove of BatchNorm, as numbers to compare.

gz is the gradient at the norm's output and takes the place of the paper's ĝ, the gradient of a network without norms
that holds the same values: it is the one reading under which the theorems are true for every loss.
"""

import torch
from torch import Tensor

from normscope.probes.norm_units import Units, sum_of_blocks


def projected(units: Units, direction: Tensor) -> Tensor:
    """P d with P = I − 11ᵀ/m − ŷŷᵀ/m of each unit, a projector at ε = 0.

    Args:
        direction: d, (m, U).
    Returns:
        (m, U).
    """
    centred = units.y - units.mean
    along = (centred * direction).sum(0) / (units.m * units.variance)
    return direction - direction.mean(0) - centred * along.to(centred.dtype)


def fact_c1(units: Units) -> Tensor:
    """∂L/∂y from ∂L/∂z, Fact C.1: gy = (γ/σ) P gz, true at every ε.

    Returns:
        (m, U), without a look at `units.gy`.
    """
    return (units.gamma / units.variance.sqrt()).to(units.gz.dtype) * projected(units, units.gz)


def fact_c1_error(units: Units) -> Tensor:
    """|gy − (γ/σ) P gz| / |gy| of each unit, (U,); nan where both are 0."""
    gain = units.gamma / units.variance.sqrt()
    shift = gain * units.along_ones / units.m
    tilt = gain * units.along_normalised / (units.m * units.variance.sqrt())
    gain, shift, tilt = (each.to(units.y.dtype) for each in (gain, shift, tilt))

    def squares(y: Tensor, gy: Tensor, gz: Tensor) -> Tensor:
        error = torch.addcmul(gy + shift, gz, gain, value=-1).addcmul_(y - units.mean, tilt)
        return (error * error).sum(0)

    return (sum_of_blocks(squares, units.y, units.gy, units.gz) / units.gy_squared).sqrt()


def theorem_4_1_sides(units: Units) -> tuple[Tensor, Tensor]:
    """Both sides of theorem 4.1, each (U,):
        |gy|²  <=  (γ²/σ²) (|gz|² − ⟨1,gz⟩²/m − ⟨gz,ŷ⟩²/m)

    They are equal at ε = 0. At ε > 0, with σ² = var y + ε, the left side is smaller by (γ²/σ²) ⟨gz,ŷ⟩²/m * ε/σ².
    """
    left_out = (units.along_ones.square() + units.along_normalised.square()) / units.m
    return units.gy_squared, units.gamma.double().square() / units.variance * (units.gz_squared - left_out)


def reduction_factor(units: Units) -> Tensor:
    """1 − |gy|² σ² / (γ² |gz|²), (U,): the share of the squared gradient that the norm takes out.

    What a mere scaling of y by γ/σ would do is left out. By theorem 4.1 it is (⟨1,gz⟩² + ⟨gz,ŷ⟩²) / (m |gz|²), up to
    ε; nan where gz or γ is 0.
    """
    return 1 - units.gy_squared * units.variance / (units.gamma.double().square() * units.gz_squared)


def theorem_4_2_terms(units: Units, curvature: Tensor) -> tuple[Tensor, Tensor]:
    """The two terms of theorem 4.2's right side, each (U,); with H_y and H_z the Hessians of L in the columns y and z:
        gyᵀ H_y gy  =  (γ²/σ²) c − (γ/(m σ²)) ⟨gz,ŷ⟩ |gy|²

    Args:
        curvature: c, (U,). First form: gyᵀ H_z gy, an equality at ε = 0 and at no other. Second form: gzᵀ H_z gz, an
            inequality <= that needs H_z to preserve the relative norms of gy and gz, and may fail.
    """
    first = units.gamma.double().square() / units.variance * curvature
    return first, -units.gamma / (units.m * units.variance) * units.along_normalised * units.gy_squared


def theorem_4_2_terms_with_eps(units: Units, curvature: Tensor) -> tuple[Tensor, Tensor]:
    """The same equality at any ε, ours; P is no projector then, nor is gy orthogonal to ŷ:
        gyᵀ H_y gy  =  (γ²/σ²) c − (γ/(m σ²)) ⟨gz,ŷ⟩ gyᵀ P gy − (2/(m σ)) ⟨ŷ,gy⟩ |gy|²

    Args:
        curvature: c = (P gy)ᵀ H_z (P gy), (U,).
    Returns:
        the first term, and the sum of the others.
    """
    first = units.gamma.double().square() / units.variance * curvature
    along = ((units.y - units.mean) * units.gy).sum(0) / units.variance  # ⟨ŷ,gy⟩ / σ
    through = (units.gy * projected(units, units.gy)).sum(0)
    turn = units.gamma / (units.m * units.variance) * units.along_normalised * through
    return first, -turn - 2 / units.m * along * units.gy_squared


def theorem_4_4_sides(units: Units, layer_inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Both sides of equation (17) in the proof of theorem 4.4, each (U,), for y = X W with |X|₂ = λ:
        |∇_W L|² = |Xᵀ gy|²  <=  (λ²γ²/σ²) (|gz|² − ⟨1,gz⟩²/m − ⟨gz,ŷ⟩²/m)

    Equal at X = λ I and ε = 0, so that the right side is the maximum over all X of that norm. As typeset the theorem
    itself mixes gz and its square, and loses m and λ².

    Args:
        layer_inputs: X, (m, d).
    """
    length = torch.linalg.matrix_norm(layer_inputs, ord=2)
    return (layer_inputs.T @ units.gy).square().sum(0), length.square() * theorem_4_1_sides(units)[1]


def lemma_4_5_sides(start: Tensor, optimum: Tensor) -> tuple[Tensor, Tensor]:
    """Both sides of lemma 4.5: how much nearer to a start W₀ an optimum W* has a rescaled twin.
        |W₀ − kW*|²  =  |W₀ − W*|² − |W*|² (1 − k)²,   k = ⟨W*,W₀⟩ / |W*|²

    BatchNorm makes k W* as good as W* for every k > 0, see `probes.scale_invariance`.

    Args:
        start, optimum: W₀ and W*, of one shape; W* is not 0.
    """
    k = (start * optimum).sum() / optimum.square().sum()
    right = (start - optimum).square().sum() - optimum.square().sum() * (1 - k).square()
    return (start - k * optimum).square().sum(), right
