import math

import pytest
import torch

from normscope.lanczos import signs
from normscope.probes.hessian_trace import hessian_trace
from tests.probes.hessians import dense_hessian, products_made, seeded_record
from tests.recorded import quadratic
from tests.test_record import counted


def measured(record, vectors):
    found = hessian_trace(record, vectors=vectors).scalars
    return float(found["curvature/trace"]), float(found["curvature/trace_error"])


def test_of_a_diagonal_hessian_two_vectors_give_it_exactly():
    assert measured(quadratic([1.0, 4.0, -0.5], [1.0, 2.0, 3.0], lr=0.1), vectors=2) == (4.5, 0)


def test_it_is_the_mean_over_the_vectors_of_the_dense_form():
    hessian = dense_hessian()[1]
    generator = seeded_record().generator("hessian_trace")
    drawn = [signs(len(hessian), generator, hessian.dtype) for _ in range(5)]
    forms = [(z @ hessian @ z).item() for z in drawn]
    mean = sum(forms) / 5
    error = math.sqrt(sum((form - mean) ** 2 for form in forms) / 4 / 5)
    assert measured(seeded_record(), vectors=5) == pytest.approx((mean, error), rel=1e-9)


def test_the_trace_lies_within_its_error():
    hessian = dense_hessian()[1]
    trace, error = measured(seeded_record(), vectors=100)
    assert abs(trace - hessian.trace().item()) < 3 * error
    scatter = 2 * (hessian.square().sum() - hessian.diag().square().sum())  # of one vector, by its own formula
    assert error == pytest.approx(math.sqrt(scatter / 100), rel=0.25)


def test_the_cost_is_its_products_and_one_graph(monkeypatch):
    record = seeded_record()
    passes = counted(monkeypatch)
    made = products_made(record)
    measured(record, vectors=3)
    assert (len(made), len(passes)) == (3, 1)


def test_asked_twice_it_says_the_same():
    assert measured(seeded_record(torch.float32), vectors=2) == measured(seeded_record(torch.float32), vectors=2)


def test_one_vector_is_refused():
    with pytest.raises(ValueError, match=r"vectors \(1\) must be at least 2"):
        measured(quadratic([1.0], [1.0], lr=0.1), vectors=1)
