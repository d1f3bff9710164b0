import math

import pytest
import torch

from normscope.vectors import cosine, distance_l2, flattened, inner, moved, norm_l2, unflattened

THREE_FOUR = {"a": torch.tensor([3.0]), "b": torch.tensor([[4.0]])}


def test_the_norm_runs_over_all_tensors():
    assert norm_l2(THREE_FOUR).item() == 5


def test_moving_leaves_the_start_alone():
    end = moved(THREE_FOUR, {"a": torch.ones(1), "b": torch.ones(1, 1)}, -2.0)
    assert (end["a"].item(), end["b"].item()) == (1, 2)
    assert THREE_FOUR["a"].item() == 3


def test_distance_agrees_with_the_norm_of_the_concatenation():
    torch.manual_seed(0)
    left = {"a": torch.randn(5, 3), "b": torch.randn(7)}
    right = {"a": torch.randn(5, 3), "b": torch.randn(7)}
    flat = [torch.cat([v["a"].flatten(), v["b"]]).double() for v in (left, right)]
    torch.testing.assert_close(distance_l2(left, right), (flat[0] - flat[1]).norm(), rtol=1e-6, atol=0)


def test_the_inner_product_is_that_of_the_concatenations():
    """⟨(3, 4), (2, 1)⟩ = 10, and the cosine 10 / (5 √5)."""
    other = {"a": torch.tensor([2.0]), "b": torch.tensor([[1.0]])}
    assert inner(THREE_FOUR, other) == 10
    assert cosine(THREE_FOUR, other).item() == pytest.approx(10 / (5 * math.sqrt(5)))


def test_flattened_and_back_is_the_same_vector():
    vector = {"a": torch.randn(2, 3, 4).transpose(0, 2), "b": torch.randn(5)}
    flat = flattened(vector)
    assert flat.shape == (29,)
    back = unflattened(flat, vector)
    assert all(torch.equal(back[name], vector[name]) for name in vector)
