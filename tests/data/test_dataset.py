import pytest
import torch

from normscope.data.dataset import Split, hold_out, in_splits, subset, with_random_labels


def numbered(labels):
    """Images that say their number in their only pixels."""
    numbers = torch.arange(len(labels))
    return Split(
        torch.stack((numbers // 256, numbers % 256), 1)[:, :, None, None].to(torch.uint8), torch.tensor(labels)
    )


def numbers(split):
    high, low = split.images[:, :, 0, 0].long().unbind(1)
    return (256 * high + low).tolist()


TEN = numbered([index % 10 for index in range(500)])


def test_holding_out_parts_a_split():
    train, validation = hold_out(TEN, 100)
    assert numbers(train) == sorted(numbers(train))
    assert numbers(validation) == sorted(numbers(validation))
    assert sorted(numbers(train) + numbers(validation)) == list(range(500))


@pytest.mark.parametrize("count", [1, 10, 95, 490])
def test_every_class_gives_the_same_number_of_images(count):
    for part in (hold_out(TEN, count)[1], subset(TEN, count)):
        counts = part.labels.bincount(minlength=10)
        assert counts.sum() == count
        assert counts.max() - counts.min() <= 1


def test_a_small_class_gives_all_that_it_has():
    uneven = numbered([0] * 50 + [1] * 3 + [2] * 40)
    assert subset(uneven, 23).labels.bincount().tolist() == [10, 3, 10]


def test_images_keep_their_labels():
    train, validation = hold_out(TEN, 100)
    for split in (train, validation, subset(TEN, 37)):
        assert [number % 10 for number in numbers(split)] == split.labels.tolist()


def test_the_choice_is_the_same_for_ever():
    """Pinned: another one would mix validation images into the training of older runs."""
    assert numbers(hold_out(TEN, 10)[1]) == [87, 149, 151, 210, 303, 388, 434, 435, 462, 466]
    assert numbers(subset(TEN, 5)) == [210, 303, 388, 462, 466]
    assert numbers(hold_out(TEN, 10, seed=1)[1]) != numbers(hold_out(TEN, 10)[1])


def test_the_folds_hold_out_every_image_once_and_every_class_alike():
    parts = [hold_out(TEN, 100, fold) for fold in range(5)]
    assert sorted(number for _, validation in parts for number in numbers(validation)) == list(range(500))
    for train, validation in parts:
        assert sorted(numbers(train) + numbers(validation)) == list(range(500))
        assert validation.labels.bincount().tolist() == [10] * 10


def test_a_fold_that_is_not_there_is_refused():
    with pytest.raises(
        ValueError, match=r"fold \(5\) must lie within 0 and 4: 500 training images hold 5 times the 100"
    ):
        hold_out(TEN, 100, 5)
    with pytest.raises(ValueError, match=r"fold \(1\): no images are held out"):
        in_splits("ten", ("a",) * 10, TEN, TEN, fold=1)


def test_a_smaller_subset_is_part_of_a_larger_one():
    assert set(numbers(subset(TEN, 33))) < set(numbers(subset(TEN, 120)))


def test_the_validation_images_do_not_depend_on_the_training_size():
    sizes = {"validation": 50, "test_size": None}
    whole = in_splits("ten", ("a",) * 10, TEN, TEN, train_size=None, **sizes)
    small = in_splits("ten", ("a",) * 10, TEN, TEN, train_size=100, **sizes)
    assert numbers(whole.validation) == numbers(small.validation)
    assert (len(whole.train), len(small.train), len(small.test)) == (450, 100, 500)
    assert not set(numbers(small.train)) & set(numbers(small.validation))


def test_without_a_count_everything_is_kept():
    dataset = in_splits("ten", ("a",) * 10, TEN, TEN, validation=0, train_size=None, test_size=None)
    assert dataset.train is dataset.test is TEN
    assert dataset.validation is None


@pytest.mark.parametrize("count", [-1, 0, 500])
def test_a_validation_split_out_of_range_is_refused(count):
    with pytest.raises(ValueError, match=rf"validation \({count}\) must lie within 1 and 499"):
        hold_out(TEN, count)


@pytest.mark.parametrize("count", [-1, 0, 501])
def test_a_subset_out_of_range_is_refused(count):
    with pytest.raises(ValueError, match=rf"\({count}\) must lie within 1 and 500"):
        subset(TEN, count)


def test_a_class_that_would_be_lost_to_training_is_named():
    with pytest.raises(ValueError, match=r"validation \(7\) leaves no image of class 1 to train on"):
        hold_out(numbered([0] * 50 + [1] * 3), 7)


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (torch.zeros(2, 3, 4, 4).double(), torch.zeros(2, dtype=torch.int64)),
        (torch.zeros(2, 4, 4, dtype=torch.uint8), torch.zeros(2, dtype=torch.int64)),
        (torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64)),
        (torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.zeros(2)),
    ],
)
def test_a_split_of_other_kinds_of_tensors_is_refused(images, labels):
    with pytest.raises(ValueError, match="must be"):
        Split(images, labels)


NAMES = tuple("abcdefghij")


@pytest.mark.parametrize("classes", [["d", "b"], [3, 1], ["3", "b"]])
def test_some_classes_are_renumbered_in_the_order_asked_for(classes):
    dataset = in_splits("ten", NAMES, TEN, TEN, classes=classes, validation=10, train_size=40, test_size=30)
    assert dataset.classes == ("d", "b")
    for split, count in ((dataset.train, 40), (dataset.validation, 10), (dataset.test, 30)):
        assert split.labels.bincount().tolist() == [count // 2, count // 2]
        assert [{3: 0, 1: 1}[number % 10] for number in numbers(split)] == split.labels.tolist()


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([0], "at least two"),
        (3, r"dataset\.classes=\[0,1\]"),
        ("ab", "at least two"),
        ([0, 10], "there is no class 10; give labels of 0 to 9, or of a, b,"),
        ([0, -1], "there is no class -1"),
        (["a", "z"], "there is no class z"),
        (["a", 0], "a comes twice"),
    ],
)
def test_classes_that_are_not_there_are_refused(classes, message):
    with pytest.raises(ValueError, match=message):
        in_splits("ten", NAMES, TEN, TEN, classes=classes)


def test_the_asked_share_of_labels_becomes_random_and_no_image_changes():
    """A share p leaves 1 - p + p/K of the labels right; what is replaced at a small share is so at a larger one."""
    many = numbered([index % 10 for index in range(20_000)])
    half, all_ = with_random_labels(many, 0.5, 10), with_random_labels(many, 1.0, 10)
    assert (half.labels == many.labels).double().mean() == pytest.approx(0.55, abs=0.015)
    assert (all_.labels == many.labels).double().mean() == pytest.approx(0.1, abs=0.01)
    assert all_.labels.bincount(minlength=10).double().std() < 4 * (20_000 * 0.09) ** 0.5
    replaced = half.labels != many.labels
    assert torch.equal(half.labels[replaced], all_.labels[replaced])
    assert torch.equal(half.images, many.images)


def test_random_labels_are_the_same_for_ever_and_for_training_only():
    dataset = in_splits("ten", NAMES, TEN, TEN, random_labels=1.0, validation=50, train_size=100)
    plain = in_splits("ten", NAMES, TEN, TEN, validation=50, train_size=100)
    assert numbers(dataset.train) == numbers(plain.train)
    assert dataset.train.labels[:10].tolist() == [6, 8, 7, 7, 1, 9, 8, 7, 7, 1]
    assert torch.equal(dataset.validation.labels, plain.validation.labels)
    assert torch.equal(dataset.test.labels, plain.test.labels)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_of_random_labels_out_of_range_is_refused(share):
    with pytest.raises(ValueError, match=r"random_labels \(.*\) must lie within 0 and 1"):
        in_splits("ten", NAMES, TEN, TEN, random_labels=share)
