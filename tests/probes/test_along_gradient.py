import math

import pytest

from normscope.probes.along_gradient import along_gradient
from normscope.record import StepRecord
from tests.recorded import quadratic


def measured(record, step_sizes=(0.5, 1.0, 2.0), band_from=0.5):
    found = along_gradient(record, step_sizes=list(step_sizes), band_from=band_from).scalars
    return {name: float(value) for name, value in found.items()}


def test_on_a_parabola_every_number_is_known():
    """L = w²: L(w − η 2w) = w² (1 − 2η)², the gradient turns by 4 η w, and β is the curvature 2."""
    found = measured(quadratic([2.0], [3.0], lr=0.1))
    assert found["loss_landscape/base"] == pytest.approx(9)
    for size in (0.5, 1, 2):
        eta = 0.1 * size
        assert found[f"loss_landscape/eta_{size:g}"] == pytest.approx(9 * (1 - 2 * eta) ** 2)
        assert found[f"gradient_predictiveness/eta_{size:g}"] == pytest.approx(12 * eta)
    assert found["loss_landscape/max"] == found["loss_landscape/eta_0.5"]
    assert found["loss_landscape/min"] == found["loss_landscape/eta_2"]
    assert found["gradient_norm"] == pytest.approx(6)
    assert found["smoothness/beta"] == pytest.approx(2)


def test_beta_is_the_curvature_in_the_gradients_direction():
    """g = (1, 4), H = diag(1, 4): ‖H g‖ / ‖g‖ = √(1 + 256) / √17."""
    found = measured(quadratic([1.0, 4.0], [1.0, 1.0], lr=0.01))
    assert found["smoothness/beta"] == pytest.approx(math.sqrt(257 / 17), rel=1e-5)
    assert not found["smoothness/saturated"]


def test_beta_is_flagged_where_it_only_says_how_small_the_step_was():
    """At η = 1/h the gradient vanishes, so that β = 1/η whatever the curvature elsewhere."""
    assert measured(quadratic([10.0], [1.0], lr=0.2))["smoothness/saturated"]


def test_small_steps_are_stored_but_stay_out_of_the_band():
    found = measured(quadratic([2.0], [3.0], lr=0.1), step_sizes=(0.001, 1.0))
    assert "loss_landscape/eta_0.001" in found
    assert found["loss_landscape/max"] == found["loss_landscape/eta_1"]


@pytest.mark.parametrize(("sizes", "message"), [([0.0, 1.0], "0.0 must be > 0"), ([0.1], r"reaches band_from \(0.5\)")])
def test_step_sizes_that_make_no_sense_are_refused(sizes, message):
    with pytest.raises(ValueError, match=message):
        along_gradient(quadratic([1.0], [1.0], lr=0.1), step_sizes=sizes, band_from=0.5)


def test_k_step_sizes_cost_k_passes_and_one_for_the_base(monkeypatch):
    passes = []
    measure = StepRecord.gradient_at
    monkeypatch.setattr(StepRecord, "gradient_at", lambda self, weights: passes.append(1) or measure(self, weights))
    measured(quadratic([1.0], [1.0], lr=0.1), step_sizes=(0.5, 1.0, 2.0, 4.0))
    assert len(passes) == 5
