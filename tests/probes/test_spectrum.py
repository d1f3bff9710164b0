import math

import numpy as np
import pytest
import torch

from normscope.lanczos import signs
from normscope.probes.spectrum import smoothed, spectrum
from tests.probes.hessians import dense_hessian, products_made, seeded_record
from tests.recorded import quadratic
from tests.test_record import counted


def measured(record, **options):
    options = {"vectors": 2, "products": 10, "bins": 100, "width": 0.01, **options}
    return spectrum(record, **options).histograms["spectrum"]


def count_near(found, value, distance):
    middles = (found.edges[1:] + found.edges[:-1]) / 2
    return found.counts[(middles - value).abs() < distance].sum().item()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_of_a_diagonal_hessian_every_eigenvalue_is_counted(dtype):
    """Two times 1 and once −2, 3 and 5; vectors of ±1 weigh all directions alike."""
    found = measured(quadratic([1, -2, 3, 5, 1], [1.0] * 5, lr=0.1, dtype=dtype))
    for value, count in ((1, 2), (-2, 1), (3, 1), (5, 1)):
        assert count_near(found, value, 0.5) == pytest.approx(count, rel=1e-4)
    assert found.counts.sum() == pytest.approx(5, rel=1e-5)
    assert found.total == pytest.approx(8, rel=1e-5)
    assert found.total_squares == pytest.approx(1 + 4 + 9 + 25 + 1, rel=1e-5)


def test_all_counts_are_the_number_of_weights_and_their_mean_is_that_of_the_trace():
    gradient, hessian = dense_hessian()
    found = measured(seeded_record(), vectors=3)
    generator = seeded_record().generator("spectrum")
    drawn = torch.stack([signs(len(gradient), generator, gradient.dtype) for _ in range(3)])
    assert found.counts.sum() == pytest.approx(len(gradient), rel=1e-12)
    assert found.total == pytest.approx((drawn @ hessian * drawn).sum().item() / 3, rel=1e-9)
    assert found.total_squares == pytest.approx((drawn @ hessian).square().sum().item() / 3, rel=1e-9)
    middles = (found.edges[1:] + found.edges[:-1]) / 2
    assert (found.counts @ middles - found.total).abs() < len(gradient) * (middles[1] - middles[0])


def test_it_is_what_a_plain_loop_over_the_dense_hessian_gives():
    """Lanczos in numpy, its matrix filled with qᵀ H q, and the Gaussians' integrals one by one."""
    hessian = dense_hessian()[1].numpy()
    size, m = len(hessian), 6
    z = signs(size, seeded_record().generator("spectrum"), torch.float64).numpy()
    basis = [z / np.linalg.norm(z)]
    for _ in range(m - 1):
        vector = hessian @ basis[-1]
        for q in basis * 3:
            vector = vector - (q @ vector) * q
        basis.append(vector / np.linalg.norm(vector))
    q = np.array(basis)
    nodes, vectors = np.linalg.eigh(q @ hessian @ q.T)
    sigma = 0.02 * (nodes[-1] - nodes[0])
    edges = np.linspace(nodes[0] - 3 * sigma, nodes[-1] + 3 * sigma, 41)

    def below(edge):
        shares = [0.5 * (1 + math.erf((edge - node) / sigma / math.sqrt(2))) for node in nodes]
        return size * sum(weight * share for weight, share in zip(vectors[0] ** 2, shares, strict=True))

    counts = np.diff([0, *map(below, edges[1:-1]), size])
    found = measured(seeded_record(), vectors=1, products=m, bins=40, width=0.02)
    np.testing.assert_allclose(found.edges.numpy(), edges, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.counts.numpy(), counts, rtol=1e-9, atol=1e-9 * size)


def test_it_is_close_to_the_true_density():
    """The cumulative shares of estimate and truth, outside of the peak at 0."""
    values = torch.linalg.eigvalsh(dense_hessian()[1])
    found = measured(seeded_record(), vectors=10, products=40, bins=200, width=0.003)
    below = found.counts.cumsum(0) / found.counts.sum()
    true = (values[:, None] < found.edges[1:]).double().mean(0)
    away = found.edges[1:].abs() > 0.05 * values[-1]
    assert (below - true)[away].abs().max() < 0.01


def test_equal_eigenvalues_fill_a_range_of_some_width():
    found = smoothed(torch.full((3,), 2.0, dtype=torch.float64), torch.ones(3, dtype=torch.float64), bins=7, width=0.01)
    assert found.counts.sum() == pytest.approx(3)
    assert found.counts.argmax() == 3
    assert (found.edges[0], found.edges[-1]) == (pytest.approx(1.97), pytest.approx(2.03))


def test_what_is_not_finite_is_left_out():
    record = quadratic([1.0, float("nan")], [1.0, 1.0], lr=0.1)
    assert not spectrum(record, vectors=1, products=2, bins=10, width=0.1).histograms


def test_the_cost_is_its_products_and_one_graph(monkeypatch):
    record = seeded_record()
    passes = counted(monkeypatch)
    made = products_made(record)
    measured(record, vectors=2, products=4)
    assert (len(made), len(passes)) == (8, 1)


def test_asked_twice_it_says_the_same():
    first, second = (measured(seeded_record(torch.float32)) for _ in range(2))
    assert torch.equal(first.counts, second.counts)


@pytest.mark.parametrize("options", [{"vectors": 0}, {"products": 1}, {"bins": 1}, {"width": 0.0}])
def test_options_that_make_no_sense_are_refused(options):
    name, value = next(iter(options.items()))
    with pytest.raises(ValueError, match=rf"probe.spectrum: .*{name} \({value}\)"):
        measured(quadratic([1.0], [1.0], lr=0.1), **options)
