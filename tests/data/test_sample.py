import hashlib

import pytest
import torch

from normscope.data.sample import CLASSES, sample


def fingerprint(split):
    return hashlib.sha256(split.images.numpy().tobytes() + split.labels.numpy().tobytes()).hexdigest()


def test_the_images_are_the_same_for_ever():
    """Pinned: figures and verdicts made with dataset=sample are comparable as long as this holds."""
    dataset = sample(train_size=30, test_size=20, validation=10)
    assert [fingerprint(split)[:16] for split in (dataset.train, dataset.test, dataset.validation)] == [
        "c073e9025cde875b",
        "675af727b48bc032",
        "113c496822d16962",
    ]


def test_another_seed_draws_other_images():
    first, second = sample(20, 10, 10, seed=0), sample(20, 10, 10, seed=1)
    splits = [split for d in (first, second) for split in (d.train, d.test, d.validation)]
    assert len({fingerprint(split) for split in splits}) == 6


def test_nothing_is_drawn_from_the_global_generator():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    sample(20, 10)
    assert torch.equal(torch.rand(3), expected)


def test_ten_classes_take_turns():
    dataset = sample(train_size=1203, test_size=40)
    assert len(set(CLASSES)) == len(dataset.classes) == 10
    assert dataset.train.images.shape == (1203, 3, 32, 32)
    counts = dataset.train.labels.bincount(minlength=10)
    assert counts.max() - counts.min() == 1
    assert dataset.validation is None


def test_no_image_comes_twice():
    images = sample(train_size=2000, test_size=500)
    seen = {image.numpy().tobytes() for split in (images.train, images.test) for image in split.images}
    assert len(seen) == 2500


def test_the_mean_colour_does_not_tell_the_class():
    """What tells them apart is shape and texture: class means of every channel agree within sampling error."""
    train = sample(train_size=2000).train
    colours = train.images.double().mean((2, 3))  # (N, 3)
    means = torch.stack([colours[train.labels == label].mean(0) for label in range(10)])
    error = colours.std(0) / 200**0.5
    assert ((means - colours.mean(0)).abs() < 4.5 * error).all()


@pytest.mark.parametrize("sizes", [{"train_size": 0}, {"test_size": 0}, {"validation": -1}])
def test_a_size_out_of_range_is_refused(sizes):
    ((name, value),) = sizes.items()
    with pytest.raises(ValueError, match=rf"{name} \({value}\)"):
        sample(**sizes)


def test_a_seed_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"seed \(-1\)"):
        sample(10, 10, seed=-1)


def test_of_some_classes_there_are_as_many_images_as_asked_for():
    dataset = sample(train_size=25, test_size=10, validation=5, classes=["striped ring", 0])
    assert dataset.classes == ("striped ring", CLASSES[0])
    assert [len(split) for split in (dataset.train, dataset.test, dataset.validation)] == [25, 10, 5]
    assert set(dataset.train.labels.tolist()) == {0, 1}
    one = sample(train_size=130, test_size=10).train
    assert torch.equal(dataset.train.images[:25], one.images[(one.labels == 0) | (one.labels == 2)][:25])


def test_random_labels_leave_the_images_as_they_are():
    plain, random = sample(200, 10), sample(200, 10, random_labels=1.0)
    assert torch.equal(plain.train.images, random.train.images)
    assert torch.equal(plain.test.labels, random.test.labels)
    assert (plain.train.labels == random.train.labels).double().mean() < 0.25
