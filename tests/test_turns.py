import gc
import math
import weakref

import pytest
import torch

from normscope.record import StepRecord
from normscope.turns import FLOOR, below_floor, compared, turns
from normscope.vectors import cosine, distance_l2, moved, norm_l2
from tests.recorded import quadratic, small_record


def vector(*numbers):
    return {"a": torch.tensor(numbers[:1], dtype=torch.float64), "b": torch.tensor(numbers[1:], dtype=torch.float64)}


def test_two_gradients_at_a_right_angle():
    """g = (3, 0, 0) and g' = (0, 0, 4): 5 apart, 5/3 of ‖g‖, cosine 0."""
    turn = compared((torch.tensor(2.0), vector(0.0, 0.0, 4.0)), vector(3.0, 0.0, 0.0), torch.tensor(3.0))
    assert (turn.loss, turn.length, turn.difference, turn.cosine) == (2, 4, 5, 0)
    assert turn.relative == pytest.approx(5 / 3)


@pytest.mark.parametrize(("there", "expected"), [((1.0, 2.0, 2.0), 1.0), ((-0.1, -0.2, -0.2), -1.0)])
def test_parallel_gradients_have_a_cosine_of_one_and_no_more(there, expected):
    turn = compared((torch.tensor(0.0), vector(*there)), vector(1.0, 2.0, 2.0), torch.tensor(3.0))
    assert turn.cosine == pytest.approx(expected, abs=1e-14)
    assert abs(turn.cosine) <= 1


def test_a_gradient_of_zero_has_no_direction():
    assert math.isnan(
        compared((torch.tensor(0.0), vector(0.0, 0.0, 0.0)), vector(3.0, 0.0, 4.0), torch.tensor(5.0)).cosine
    )


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
def test_the_sweep_agrees_with_the_geometry_of_vectors(dtype, tolerance):
    record = small_record(dtype)
    gradient = record.base[1]
    for size, turn in zip((0.001, 0.1, 10), turns(record, gradient, [0.001, 0.1, 10]), strict=True):
        loss, there = record.gradient_at(moved(record.weights, gradient, -size))
        assert turn.loss == loss
        for found, expected in (
            (turn.length, norm_l2(there)),
            (turn.difference, distance_l2(there, gradient)),
            (turn.relative, distance_l2(there, gradient) / norm_l2(gradient)),
            (turn.cosine, cosine(there, gradient)),
        ):
            torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)  # a cosine may be near 0


def test_no_two_gradients_beside_the_base_are_held_at_once(monkeypatch):
    record = small_record()
    gradient = record.base[1]
    gradient_at, earlier = StepRecord.gradient_at, []

    def watched(self, weights):
        gc.collect()
        assert all(tensor() is None for tensor in earlier)
        loss, found = gradient_at(self, weights)
        earlier.extend(weakref.ref(tensor) for tensor in found.values())
        return loss, found

    monkeypatch.setattr(StepRecord, "gradient_at", watched)
    turns(record, gradient, [0.1, 0.2, 0.3])
    assert len(earlier) == 3 * len(gradient)


def test_differences_of_less_than_ten_floors_are_flagged_once_the_floor_is_known():
    """L = w²/2 from w = 1: the gradient turns by η, in units of itself."""
    record = quadratic([1.0], [1.0], lr=0.1, dtype=torch.float64)
    found = dict(zip(("near", "far"), turns(record, record.base[1], [0.009, 0.011]), strict=True))
    assert below_floor(record, found, "some") == {}
    record.earlier[FLOOR] = torch.tensor(0.001)
    assert below_floor(record, found, "some") == {"some/below_floor/near": True, "some/below_floor/far": False}
