import io

import pytest
import torch

from normscope.data.batches import Batches


def take(batches, count):
    return [batches.next().tolist() for _ in range(count)]


def test_an_epoch_shows_every_image_at_most_once_and_drops_the_partial_batch():
    batches = Batches(10, 3, seed=0)
    assert batches.steps_per_epoch == 3
    for _ in range(4):
        seen = [index for batch in take(batches, 3) for index in batch]
        assert len(set(seen)) == 9
        assert set(seen) < set(range(10))


def test_epochs_have_orders_of_their_own():
    batches = Batches(50, 50, seed=0)
    first, second = take(batches, 2)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second


def test_the_order_depends_on_the_seed_alone():
    torch.manual_seed(1)
    first = take(Batches(20, 4, seed=7), 12)
    torch.manual_seed(2)
    assert take(Batches(20, 4, seed=7), 12) == first
    assert take(Batches(20, 4, seed=8), 12) != first


@pytest.mark.parametrize("taken", [0, 1, 2, 3, 4, 8])
def test_the_order_goes_on_after_a_restart(taken):
    """In the middle of an epoch, at its end and in a later one; the state as a checkpoint keeps it."""
    batches = Batches(10, 3, seed=0)
    take(batches, taken)
    file = io.BytesIO()
    torch.save(batches.state(), file)
    file.seek(0)
    rest = take(batches, 7)
    again = Batches(10, 3, seed=99)
    again.restore(torch.load(file, weights_only=True))
    assert take(again, 7) == rest


def test_looking_at_the_state_changes_nothing():
    batches = Batches(10, 3, seed=0)
    state = batches.state()
    take(batches, 5)
    again = Batches(10, 3, seed=0)
    assert torch.equal(state["generator"], again.state()["generator"])
    assert state["position"] == 0


@pytest.mark.parametrize("batch_size", [0, 11])
def test_a_batch_that_does_not_fit_is_refused(batch_size):
    with pytest.raises(ValueError, match=rf"batch_size \({batch_size}\) must lie within 1 and 10"):
        Batches(10, batch_size, seed=0)


@pytest.mark.parametrize(("size", "batch_size"), [(11, 3), (10, 2)])
def test_the_order_of_other_data_is_refused(size, batch_size):
    with pytest.raises(ValueError, match="this run has"):
        Batches(size, batch_size, seed=0).restore(Batches(10, 3, seed=0).state())
