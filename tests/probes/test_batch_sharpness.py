import math
from dataclasses import replace

import pytest
import torch

from normscope.probes.batch_sharpness import batch_sharpness
from normscope.vectors import distance_l2, inner, norm_l2
from tests.probes.hessians import dense_hessian, products_made, seeded_record
from tests.recorded import quadratic
from tests.test_record import counted


def measured(record):
    return {name: float(value) for name, value in batch_sharpness(record).scalars.items()}


def test_on_a_parabola_it_is_known():
    """g = (1, 4), H = diag(1, 4): (1 + 64) / 17."""
    found = measured(quadratic([1.0, 4.0], [1.0, 1.0], lr=0.1))
    assert found == pytest.approx({"curvature/batch_sharpness": 65 / 17, "curvature/batch_sharpness_lr": 6.5 / 17})


def test_it_is_that_of_the_dense_hessian():
    gradient, hessian = dense_hessian()
    expected = (gradient @ hessian @ gradient / (gradient @ gradient)).item()
    assert measured(seeded_record())["curvature/batch_sharpness"] == pytest.approx(expected, rel=1e-9)


def test_it_is_how_fast_the_slope_along_the_gradient_changes():
    record, tiny = seeded_record(), 1e-6
    gradient = record.base[1]
    ahead, behind = (
        record.gradient_at({name: weight + sign * tiny * gradient[name] for name, weight in record.weights.items()})[1]
        for sign in (1, -1)
    )
    expected = (inner(gradient, ahead) - inner(gradient, behind)) / (2 * tiny * norm_l2(gradient) ** 2)
    assert measured(record)["curvature/batch_sharpness"] == pytest.approx(expected.item(), rel=1e-6)


def test_it_is_at_most_the_effective_smoothness_of_a_small_step():
    record = seeded_record()
    gradient = record.base[1]
    moved = record.gradient_at({name: weight - 1e-6 * gradient[name] for name, weight in record.weights.items()})[1]
    beta = distance_l2(moved, gradient) / (1e-6 * norm_l2(gradient))
    assert 0 < measured(record)["curvature/batch_sharpness"] < beta


def test_without_a_gradient_there_is_none():
    found = measured(quadratic([1.0, 4.0], [0.0, 0.0], lr=0.1))
    assert all(math.isnan(value) for value in found.values())


@pytest.mark.parametrize("is_own", [True, False])
def test_it_costs_one_product_and_its_graph(monkeypatch, is_own):
    record = seeded_record()
    record = replace(record, own=record.base if is_own else None)
    passes = counted(monkeypatch)
    made = products_made(record)
    measured(record)
    assert len(made) == 1
    assert len(passes) == (1 if is_own else 2)


def test_float32_will_do():
    single, double = (measured(seeded_record(dtype)) for dtype in (torch.float32, torch.float64))
    assert single == pytest.approx(double, rel=1e-4)
