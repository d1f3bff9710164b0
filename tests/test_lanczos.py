import math

import pytest
import torch

from normscope.lanczos import lanczos, make_orthogonal, signs


def symmetric(eigenvalues, dtype=torch.float64):
    """A dense symmetric matrix with these eigenvalues, in random directions."""
    values = torch.tensor(eigenvalues, dtype=torch.float64)
    rotation = torch.linalg.qr(
        torch.randn(len(values), len(values), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    )[0]
    return (rotation * values @ rotation.T).to(dtype)


def found_in(matrix, products, **more):
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(len(matrix), generator=generator, dtype=torch.float64).to(matrix.dtype)
    return lanczos(lambda vector: matrix @ vector, start, generator=generator, products=products, **more)


def test_as_many_products_as_dimensions_find_every_eigenvalue():
    eigenvalues = [7.0, 3.0, 1.0, 0.5, -0.25, -2.0]
    values, vectors = found_in(symmetric(eigenvalues), products=6).ritz
    assert values.tolist() == pytest.approx(eigenvalues, rel=1e-12)
    torch.testing.assert_close(vectors.T @ vectors, torch.eye(6, dtype=torch.float64))


def test_the_small_matrix_is_the_large_one_between_orthonormal_vectors():
    matrix = symmetric([0.9**i for i in range(50)])
    found = found_in(matrix, products=20)
    small = found.diagonal.diag() + found.off_diagonal[:-1].diag(1) + found.off_diagonal[:-1].diag(-1)
    torch.testing.assert_close(found.basis @ matrix @ found.basis.T, small, rtol=0, atol=1e-13)
    torch.testing.assert_close(found.basis @ found.basis.T, torch.eye(20, dtype=torch.float64), rtol=0, atol=1e-13)


def test_residuals_are_those_of_the_ritz_vectors_and_bound_the_error():
    eigenvalues = torch.tensor([10.0, *(math.cos(i) for i in range(79))], dtype=torch.float64)
    matrix = symmetric(eigenvalues.tolist())
    found = found_in(matrix, products=12)
    values, vectors = found.ritz
    ritz = vectors.T @ found.basis  # (12, 80)
    expected = torch.linalg.vector_norm(ritz @ matrix - values[:, None] * ritz, dim=1)
    torch.testing.assert_close(found.residuals, expected, rtol=1e-9, atol=1e-12)
    errors = (eigenvalues[:, None] - values).abs().amin(0)
    assert (errors <= found.residuals + 1e-12).all()
    assert found.residuals[0] < 1e-6 < found.residuals[5]


def test_float32_finds_an_eigenvalue_once():
    """Without orthogonalising again a converged outlier comes back as a ghost."""
    matrix = symmetric([100.0, *(math.sin(i) for i in range(399))], torch.float32)
    found = found_in(matrix, products=60)
    torch.testing.assert_close(found.basis @ found.basis.T, torch.eye(60), rtol=0, atol=1e-6)
    values = found.ritz[0]
    assert values[0] == pytest.approx(100, rel=1e-5)
    assert values[1] < 1.01


@pytest.mark.parametrize("eigenvalues", [[2.0, 2.0, 2.0, 1.0, 1.0], [3.0] * 4, [0.0] * 5, [0.0], [5.0, 0.0, 0.0]])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_space_that_is_exhausted_early_is_left_for_a_fresh_direction(eigenvalues, dtype):
    found = found_in(symmetric(eigenvalues, dtype), products=9)
    assert len(found.basis) == len(eigenvalues)
    assert found.ritz[0].tolist() == pytest.approx(eigenvalues, rel=1e-5, abs=1e-5)


def test_an_exhausted_space_is_never_enough():
    found = found_in(torch.diag(torch.tensor([2.0, 2.0, 1.0])), products=3, enough=lambda krylov: True)
    assert len(found.basis) == 1  # of a space that goes on
    found = found_in(torch.eye(3), products=3, enough=lambda krylov: True)
    assert len(found.basis) == 3


def test_weights_and_values_integrate_polynomials():
    """m nodes are exact up to degree 2 m − 1: Σ w θ^p = qᵀ H^p q."""
    matrix = symmetric([0.8**i for i in range(30)])
    found = found_in(matrix, products=3)
    q = found.basis[0]
    for power in range(6):
        integral = (found.weights * found.ritz[0] ** power).sum()
        torch.testing.assert_close(integral, q @ torch.linalg.matrix_power(matrix, power) @ q, rtol=1e-12, atol=0)
    assert (found.weights * found.ritz[0] ** 6).sum() < q @ torch.linalg.matrix_power(matrix, 6) @ q - 1e-6


def test_no_product_is_made_after_enough():
    seen = []
    matrix = symmetric([float(i) for i in range(40)])
    lanczos(
        lambda vector: seen.append(1) or matrix @ vector,
        torch.ones(40, dtype=torch.float64),
        generator=torch.Generator(),
        products=30,
        enough=lambda krylov: len(krylov.basis) == 7,
    )
    assert len(seen) == 7


def test_what_is_not_finite_is_said_at_once():
    found = found_in(torch.full((6, 6), torch.nan), products=5)
    assert len(found.basis) == 1
    assert found.ritz[0].isnan().all()
    assert found.ritz[1].isnan().all()
    assert found.residuals.isnan().all()


def test_what_is_taken_out_of_a_vector_are_its_coefficients():
    generator = torch.Generator().manual_seed(0)
    basis = torch.linalg.qr(torch.randn(50, 4, generator=generator, dtype=torch.float64))[0].T.contiguous()
    vector = torch.randn(50, generator=generator, dtype=torch.float64)
    rest = vector.clone()
    taken = make_orthogonal(rest, basis)
    torch.testing.assert_close(taken, basis @ vector)
    torch.testing.assert_close(rest + taken @ basis, vector)
    assert (basis @ rest).abs().max() < 1e-15


def test_signs_are_plus_and_minus_one_with_equal_chances():
    drawn = signs(10_000, torch.Generator().manual_seed(0), torch.float32)
    assert set(drawn.tolist()) == {-1, 1}
    assert abs(drawn.mean()) < 0.04  # four standard deviations
