import pytest
import torch

from normscope.data.drawn import drawn

IMAGES = torch.arange(20)[:, None, None, None]


def test_the_images_are_different_ones_and_the_seed_says_which():
    first = drawn(IMAGES, 10, seed=0)
    assert first.shape == (10, 1, 1, 1)
    assert len(first.unique()) == 10
    assert torch.equal(first, drawn(IMAGES, 10, seed=0))
    assert not torch.equal(first, drawn(IMAGES, 10, seed=1))


def test_all_of_them_are_all_of_them():
    assert torch.equal(drawn(IMAGES, 20, seed=0).flatten().sort().values, torch.arange(20))


def test_more_than_there_are_are_refused():
    with pytest.raises(ValueError, match=r"images \(21\) must be at most the 20 of the training split"):
        drawn(IMAGES, 21, seed=0)
