import pytest
import torch

from normscope.data.folder import folder
from normscope.errors import UsageError


@pytest.fixture
def root(tmp_path, draw_image):
    for index in range(6):
        draw_image(f"pets/train/cat/{index}.png")
        draw_image(f"pets/train/dog/{index}.png")
    draw_image("pets/test/cat/0.png")
    draw_image("pets/test/dog/0.png")
    return tmp_path / "pets"


def test_both_splits_come_with_their_classes(root):
    dataset = folder(str(root))
    assert dataset.name == "pets"
    assert dataset.classes == ("cat", "dog")
    assert dataset.train.labels.tolist() == [0] * 6 + [1] * 6
    assert dataset.test.labels.tolist() == [0, 1]
    assert dataset.validation is None


def test_the_sizes_can_be_chosen(root):
    dataset = folder(str(root), validation=4, train_size=6, test_size=1)
    assert [len(split) for split in (dataset.train, dataset.test, dataset.validation)] == [6, 1, 4]
    assert dataset.validation.labels.bincount().tolist() == [2, 2]


def test_home_is_spelled_with_a_tilde(root, monkeypatch):
    monkeypatch.setenv("HOME", str(root.parent))
    monkeypatch.setenv("USERPROFILE", str(root.parent))
    assert torch.equal(folder("~/pets").train.images, folder(str(root)).train.images)


def test_a_missing_root_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"nowhere.train: there is no such folder; .*<class>/\*\.png"):
        folder(str(tmp_path / "nowhere"))


def test_a_missing_test_split_is_named(root):
    (root / "test").rename(root / "tset")
    with pytest.raises(UsageError, match=r"pets.test: there is no such folder"):
        folder(str(root))


def test_a_split_without_class_folders_is_named(root):
    (root / "test").rename(root / "old")
    (root / "test").mkdir()
    with pytest.raises(UsageError, match=r"pets.test holds no class folders"):
        folder(str(root))


@pytest.mark.parametrize(("split", "other"), [("train", "test"), ("test", "train")])
def test_a_class_that_only_one_split_has_is_named(root, draw_image, split, other):
    draw_image(f"pets/{split}/emu/0.png")
    with pytest.raises(UsageError, match=rf"class 'emu' is in .*{split} but not in .*{other}"):
        folder(str(root))


def test_the_splits_must_have_images_of_one_size(root, draw_image):
    draw_image("pets/test/dog/1.png", (5, 5, 3))
    with pytest.raises(UsageError, match=r"test.dog.1\.png is 5x5"):
        folder(str(root))


def test_the_splits_get_the_same_number_of_channels(root, draw_image):
    for file in root.glob("train/*/*.png"):
        draw_image(file, (4, 4))
    dataset = folder(str(root))
    assert dataset.train.images.shape[1] == dataset.test.images.shape[1] == 3
