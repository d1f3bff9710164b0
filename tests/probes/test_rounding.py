from dataclasses import replace

import pytest
import torch

from normscope.probes.rounding import nudged, rounding
from normscope.turns import FLOOR
from normscope.vectors import cosine, distance_l2, norm_l2
from tests.recorded import quadratic, record_of, small_record
from tests.test_record import counted


def measured(record):
    return {name: float(value) for name, value in rounding(record).scalars.items()}


def in_float64(record):
    """The same point and batch, exactly."""
    exact = {
        name: {key: value.double() if value.is_floating_point() else value for key, value in tensors.items()}
        for name, tensors in (("weights", record.weights), ("buffers", record.buffers))
    }
    return replace(record, images=record.images.double(), targets=record.targets.double(), own=None, **exact)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_number_moves_to_a_neighbour(dtype):
    values = torch.randn(10, 4, 5, 5, generator=torch.Generator().manual_seed(0), dtype=dtype)
    values = values.contiguous(memory_format=torch.channels_last)
    found = nudged(values, torch.Generator().manual_seed(1))
    above, below = (torch.nextafter(values, torch.full_like(values, end)) for end in (torch.inf, -torch.inf))
    assert ((found == above) | (found == below)).all()
    assert 400 < (found == above).sum() < 600
    assert found.stride() == values.stride()


def test_a_power_of_two_moves_down_or_stays_and_zero_stays():
    found = nudged(torch.cat([torch.ones(50), torch.zeros(50)]), torch.Generator().manual_seed(0))
    assert set(found.tolist()) == {1.0, 1 - 2.0**-24, 0.0}


def test_on_a_parabola_the_floor_is_one_unit_in_the_last_place():
    """L = w²/2 at w = 3, in float32: the neighbours of 3 are 2⁻²² away, and the gradient is w."""
    found = measured(quadratic([1.0], [3.0], lr=0.1))
    assert found["rounding/gradient"] == pytest.approx(2.0**-22)
    assert found["rounding/relative"] == pytest.approx(2.0**-22 / 3)
    assert found["rounding/loss"] == pytest.approx(3 * 2.0**-22, rel=0.35)  # 4.5 is kept to 2⁻²¹


@pytest.mark.parametrize("step", range(6))
def test_the_floor_is_of_the_order_of_the_true_error(step):
    """Against the gradient of the same weights and batch in float64, dropout masks and all."""
    record = replace(small_record(torch.float32), step=step)  # another step, other random numbers
    (loss, gradient), (exact_loss, exact) = record.base, in_float64(record).base
    assert loss.item() == pytest.approx(exact_loss.item(), rel=1e-5)  # the same masks
    assert cosine(gradient, exact) > 1 - 1e-9
    true = distance_l2({name: tensor.double() for name, tensor in gradient.items()}, exact)
    found = measured(record)
    assert 1 / 3 < found["rounding/gradient"] / true.item() < 3
    assert found["rounding/loss"] < 1e-5


def test_in_float64_the_floor_falls_with_the_unit():
    ratio = measured(small_record(torch.float32))["rounding/relative"] / measured(small_record())["rounding/relative"]
    assert 2.0**29 / 4 < ratio < 2.0**29 * 4


def test_a_unit_on_its_threshold_is_a_jump_of_the_gradient():
    """ReLU(w₁ · 1 + w₂ · (−1)) at w₁ = w₂: the slightest rounding switches the unit on or off."""
    network = torch.nn.Sequential(torch.nn.Linear(2, 1, bias=False), torch.nn.ReLU(), torch.nn.Linear(1, 2, bias=False))
    with torch.no_grad():
        network[0].weight.fill_(0.7)
        network[2].weight.copy_(torch.tensor([[1.0], [-1.0]]))
    record = record_of(network, torch.tensor([[1.5, -1.5]]), torch.tensor([[1.0, 0.0]]))
    jumps = [measured(replace(record, step=step))["rounding/gradient"] for step in range(20)]
    assert min(jumps) < 1e-6
    assert max(jumps) > 0.1


def test_the_floor_is_forgotten_by_half():
    record = small_record(torch.float32)
    first = rounding(record)
    assert first.kept[FLOOR] == first.scalars["rounding/relative"] == first.scalars["rounding/floor"]
    after_a_jump = rounding(replace(record, earlier={FLOOR: torch.tensor(0.1, dtype=torch.float64)}))
    assert after_a_jump.kept[FLOOR] == pytest.approx(0.05)
    assert after_a_jump.scalars["rounding/relative"] == first.scalars["rounding/relative"]
    after_nan = rounding(replace(record, earlier={FLOOR: torch.tensor(torch.nan, dtype=torch.float64)}))
    assert after_nan.kept[FLOOR] == first.kept[FLOOR]


def test_it_costs_one_pass_and_draws_nothing_that_training_sees(monkeypatch):
    record = small_record(torch.float32)
    record = replace(record, own=record.base)
    passes, state = counted(monkeypatch), torch.get_rng_state()
    before = {name: tensor.clone() for name, tensor in [*record.weights.items(), ("images", record.images)]}
    measured(record)
    assert len(passes) == 1
    assert torch.equal(state, torch.get_rng_state())
    assert all(
        torch.equal(before[name], tensor) for name, tensor in [*record.weights.items(), ("images", record.images)]
    )
    assert norm_l2(record.base[1]) > 0
