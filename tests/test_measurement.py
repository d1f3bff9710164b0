import numpy as np
import pytest
import torch

from normscope.measurement import histogram


def test_counts_agree_with_numpy():
    values = torch.randn(1000, generator=torch.Generator().manual_seed(0))
    found = histogram(values, bins=20)
    counts, edges = np.histogram(values.numpy(), bins=20)
    np.testing.assert_allclose(found.edges.numpy(), edges, rtol=1e-5, atol=1e-6)
    assert np.abs(found.counts.numpy() - counts).sum() <= 2  # values that lie on an edge within rounding
    assert found.counts.sum() == 1000
    assert float(found.total) == pytest.approx(values.double().sum().item())
    assert float(found.total_squares) == pytest.approx(values.double().square().sum().item())


def test_equal_values_fill_the_first_bin_of_a_unit_range():
    found = histogram(torch.full((5,), 3.0), bins=4)
    assert found.counts.tolist() == [5, 0, 0, 0]
    assert (found.edges[0], found.edges[-1]) == (3, 4)
