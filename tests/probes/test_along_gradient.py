import copy
import math
from dataclasses import replace

import pytest
import torch

from normscope.probes.along_gradient import BANDS, along_gradient
from normscope.turns import FLOOR
from tests.recorded import cross_entropy, quadratic, small_record
from tests.test_record import counted


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
        assert found[f"gradient_predictiveness/relative/eta_{size:g}"] == pytest.approx(2 * eta)
        assert found[f"gradient_predictiveness/cosine/eta_{size:g}"] == pytest.approx(1)
    assert found["loss_landscape/max"] == found["loss_landscape/eta_0.5"]
    assert found["loss_landscape/min"] == found["loss_landscape/eta_2"]
    assert found["gradient_norm"] == pytest.approx(6)
    assert found["smoothness/beta"] == pytest.approx(2)


def test_beyond_the_minimum_the_gradient_points_back():
    """L = w², η = 1: w becomes −w, and the gradient −g, which is 2 ‖g‖ away."""
    found = measured(quadratic([2.0], [3.0], lr=1.0), step_sizes=[1.0])
    assert found["gradient_predictiveness/cosine/eta_1"] == pytest.approx(-1)
    assert found["gradient_predictiveness/relative/eta_1"] == pytest.approx(2)


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
    assert found["gradient_predictiveness/relative/min"] == found["gradient_predictiveness/relative/eta_1"]


@pytest.mark.parametrize(
    "curve", ["gradient_predictiveness", *(f"gradient_predictiveness/{c}" for c in ("relative", "cosine"))]
)
def test_the_extremes_are_those_of_the_band(curve):
    found = measured(small_record(), step_sizes=(0.01, 0.5, 1.0, 4.0))
    band = [found[f"{curve}/eta_{size}"] for size in ("0.5", "1", "4")]
    assert found[f"{curve}/min"] == min(band)
    assert found[f"{curve}/max"] == max(band)
    assert found[f"{curve}/mean"] == pytest.approx(sum(band) / 3)


def test_the_bands_are_drawn_from_series_that_there_are():
    found = measured(small_record())
    assert {name for names in BANDS.values() for name in names} <= found.keys()


def test_it_agrees_with_a_network_that_is_really_moved():
    """Plain autograd on a copy of a network with BatchNorm, ReLU and dropout, in float64."""
    record = small_record()

    def there(eta, gradient=None):
        network = copy.deepcopy(record.network)
        with torch.no_grad():
            if gradient is not None:
                torch._foreach_sub_(list(network.parameters()), gradient, alpha=eta)
        torch.set_rng_state(record.random_state)
        loss = cross_entropy(network(record.images), record.targets, {})
        loss.backward()
        return loss.item(), [weight.grad for weight in network.parameters()]

    loss, gradient = there(0.0)
    g = torch.cat([part.flatten() for part in gradient])
    found = measured(record)
    expected = {"loss_landscape/base": loss, "gradient_norm": g.norm().item()}
    for size in (0.5, 1.0, 2.0):
        loss, parts = there(size * record.lr, gradient)
        h = torch.cat([part.flatten() for part in parts])
        eta = f"eta_{size:g}"
        expected[f"loss_landscape/{eta}"] = loss
        expected[f"gradient_predictiveness/{eta}"] = (h - g).norm().item()
        expected[f"gradient_predictiveness/relative/{eta}"] = ((h - g).norm() / g.norm()).item()
        expected[f"gradient_predictiveness/cosine/{eta}"] = (h @ g / (h.norm() * g.norm())).item()
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-9)


def test_differences_that_may_be_rounding_are_flagged():
    """L = w²/2: the gradient turns by η, in units of itself, against ten times a floor of 0.004."""
    record = quadratic([1.0], [1.0], lr=0.1)
    assert not any("below_floor" in name for name in measured(record))
    found = measured(replace(record, earlier={FLOOR: torch.tensor(0.004)}), step_sizes=(0.1, 0.5))
    assert found["gradient_predictiveness/below_floor/eta_0.1"] == 1
    assert found["gradient_predictiveness/below_floor/eta_0.5"] == 0


@pytest.mark.parametrize(("sizes", "message"), [([0.0, 1.0], "0.0 must be > 0"), ([0.1], r"reaches band_from \(0.5\)")])
def test_step_sizes_that_make_no_sense_are_refused(sizes, message):
    with pytest.raises(ValueError, match=message):
        along_gradient(quadratic([1.0], [1.0], lr=0.1), step_sizes=sizes, band_from=0.5)


@pytest.mark.parametrize("is_own", [True, False])
def test_k_step_sizes_cost_k_passes_and_none_for_the_steps_own_gradient(monkeypatch, is_own):
    record = small_record()
    record = replace(record, own=record.base if is_own else None)
    passes = counted(monkeypatch)
    measured(record, step_sizes=(0.5, 1.0, 2.0, 4.0))
    assert len(passes) == (4 if is_own else 5)
