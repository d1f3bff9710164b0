from dataclasses import replace

import pytest
import torch

from normscope.probes.eigenvalues import eigenvalues
from tests.probes.hessians import dense_hessian, products_made, seeded_record
from tests.recorded import quadratic, record_of
from tests.test_record import counted


def measured(record, **options):
    found = eigenvalues(record, **{"count": 3, "products": 30, "tolerance": 1e-3, **options}).scalars
    return {name.removeprefix("curvature/"): float(value) for name, value in found.items()}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_on_a_parabola_every_number_is_known(dtype):
    """H = diag(5, -1, 3, 0.5), g = H w = (5, -1, 6, 0.5): the two largest hold 25 + 36 of 62.25."""
    found = measured(quadratic([5, -1, 3, 0.5], [1, 1, 2, 1], lr=0.2, dtype=dtype), count=2)
    assert found == pytest.approx(
        {
            "eigenvalue_1": 5,
            "eigenvalue_2": 3,
            "eigenvalue_min": -1,
            "residual": 0,
            "residual_min": 0,
            "lambda_lr": 1,
            "eigenvalue_ratio": 5 / 3,
            "gradient_in_top_2": 61 / 62.25,
            "products": 4,
        },
        rel=1e-5,
        abs=1e-5,
    )


def test_they_are_those_of_the_dense_hessian():
    gradient, hessian = dense_hessian()
    values, vectors = torch.linalg.eigh(hessian)
    found = measured(seeded_record(), count=5, products=400, tolerance=1e-10)
    for number in range(1, 6):
        assert found[f"eigenvalue_{number}"] == pytest.approx(values[-number].item(), rel=1e-9)
    assert found["eigenvalue_min"] == pytest.approx(values[0].item(), rel=1e-9)
    assert found["lambda_lr"] == pytest.approx(0.1 * values[-1].item(), rel=1e-9)
    assert found["eigenvalue_ratio"] == pytest.approx((values[-1] / values[-5]).item(), rel=1e-9)
    share = (vectors[:, -5:].T @ gradient).square().sum() / gradient.square().sum()
    assert found["gradient_in_top_5"] == pytest.approx(share.item(), rel=1e-9)


@pytest.mark.parametrize("tolerance", [0.3, 0.03])
def test_an_eigenvalue_lies_within_its_residual(tolerance):
    values = torch.linalg.eigvalsh(dense_hessian()[1])
    found = measured(seeded_record(), tolerance=tolerance)
    assert 0 < found["residual"] <= tolerance
    for number in (1, 2, 3):
        value = found[f"eigenvalue_{number}"]
        assert (values - value).abs().min() <= found["residual"] * value


def test_a_value_that_has_not_settled_shows_it():
    found = measured(seeded_record(), products=4, tolerance=1e-3)
    assert found["products"] == 4
    assert found["residual"] > 0.05


def test_float32_agrees_with_float64():
    single, double = (measured(seeded_record(dtype), tolerance=1e-4) for dtype in (torch.float32, torch.float64))
    for name in ("eigenvalue_1", "eigenvalue_3", "eigenvalue_min", "gradient_in_top_3"):
        assert single[name] == pytest.approx(double[name], rel=1e-3)


@pytest.mark.parametrize("curvatures", [[0.0, 0.0, 0.0, 0.0], [2.0, 2.0, 2.0, 2.0], [2.0, 2.0, 0.0, 0.0]])
def test_eigenvalues_that_repeat_are_found_where_there_are_products_for_it(curvatures):
    found = measured(quadratic(curvatures, [1.0, 0, 0, 1], lr=0.1))
    assert [found[f"eigenvalue_{i}"] for i in (1, 2, 3)] == pytest.approx(curvatures[:3], abs=1e-6)
    assert (found["residual"], found["products"]) == (pytest.approx(0, abs=1e-6), 4)


def test_a_network_that_has_diverged_gives_nan():
    record = quadratic([1.0, 2.0, 3.0], [1.0, 1.0, 1.0], lr=0.1)
    found = measured(quadratic([1.0, float("nan"), 3.0], [1.0, 1.0, 1.0], lr=0.1))
    assert found.keys() == measured(record).keys()
    assert {name for name, value in found.items() if value == value} == {"products"}


def test_the_cost_is_its_products_and_one_graph(monkeypatch):
    record = seeded_record()
    record = replace(record, own=record.base)
    passes = counted(monkeypatch)
    made = products_made(record)
    assert measured(record, tolerance=1e-30, products=7)["products"] == len(made) == 7
    assert len(passes) == 1


def test_asked_twice_it_says_the_same():
    assert measured(seeded_record()) == measured(seeded_record())


def test_gradient_descent_on_the_whole_training_set_hovers_at_two():
    """Cohen et al. 2021: λ_1 η rises to 2 and stays about there, though on a parabola that would diverge."""
    torch.manual_seed(0)
    images = torch.randn(32, 8, dtype=torch.float64)
    targets = torch.eye(4, dtype=torch.float64)[torch.arange(32) % 4]
    network = torch.nn.Sequential(torch.nn.Linear(8, 24), torch.nn.Tanh(), torch.nn.Linear(24, 4)).double()

    def squares(logits, targets, weights):
        return (logits - targets).square().sum(1).mean()

    seen = []
    for step in range(600):
        record = record_of(network, images, targets, objective=squares, lr=0.2)
        if step % 50 == 0:
            seen.append(measured(record, count=1)["lambda_lr"])
        with torch.no_grad():
            for name, weight in network.named_parameters():
                weight.copy_(record.updated[name])
    assert seen[0] < 1.2
    assert all(1.8 < value < 2.5 for value in seen[4:])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, r"count \(0\) must be at least 1"),
        ({"count": 4}, r"count \(4\) must be .* at most the number of weights \(3\)"),
        ({"products": 2}, r"products \(2\) must be at least count \(3\)"),
        ({"tolerance": 0}, r"tolerance \(0\) must be > 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        measured(quadratic([1.0, 2.0, 3.0], [1.0, 1.0, 1.0], lr=0.1), **options)
