import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from normscope.data import cifar as module
from normscope.data.cifar10 import URL, cifar10
from normscope.data.published import checksum_and_order
from normscope.errors import UsageError
from normscope.places import CONFIGS
from tests.data.conftest import ARCHIVE, FOLDER
from tests.data.python2_pickle import pickled

NOWHERE = "http://127.0.0.1:9/nobody-listens.tar.gz"


def load(root, kind, url=NOWHERE):
    return module.load(root, kind, url)


def in_a_folder(cifar, tmp_path):
    cifar.write_batches(tmp_path / FOLDER)
    return tmp_path


def as_the_folder_itself(cifar, tmp_path):
    return cifar.write_batches(tmp_path / "renamed")


def as_the_archive(cifar, tmp_path):
    cifar.write_archive(tmp_path)
    return tmp_path


def as_the_archive_itself(cifar, tmp_path):
    return cifar.write_archive(tmp_path).rename(tmp_path / "cifar.tgz")


def as_class_folders(cifar, tmp_path):
    return cifar.write_class_folders(tmp_path)


FORMS = [in_a_folder, as_the_folder_itself, as_the_archive, as_the_archive_itself, as_class_folders]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_images_in_the_same_order(cifar, tmp_path, form):
    found = load(form(cifar, tmp_path), cifar.kind)
    for split, original in zip(found, (cifar.train, cifar.test), strict=True):
        expected = original[checksum_and_order(original)[1]]
        assert torch.equal(split.images, expected.images)
        assert torch.equal(split.labels, expected.labels)


def test_what_is_missing_is_downloaded_once(cifar, tmp_path, server):
    server.content = cifar.content
    for _ in range(2):
        train, _ = load(tmp_path / "data", cifar.kind, server.url)
        assert len(train) == 100
    assert len(server.ranges) == 1
    assert (tmp_path / "data" / ARCHIVE).read_bytes() == cifar.content


def test_a_failed_download_says_how_to_get_the_data_by_hand(tmp_path):
    root = tmp_path / "nowhere"
    with pytest.raises(UsageError) as error:
        cifar10(str(root), url="http://127.0.0.1:9/mirror.tar.gz")
    message = str(error.value)
    assert "127.0.0.1:9/mirror.tar.gz" in message
    assert "refused" in message
    assert "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz" in message
    assert "170,498,071 bytes, md5 c58f30108f718f92721af3b95e74349a" in message
    assert f"put it at {root / ARCHIVE}" in message
    for way_out in ("dataset.url", "dataset.root", "dataset=sample"):
        assert way_out in message


def test_a_mirror_with_another_file_is_refused(cifar, tmp_path, server):
    server.content = cifar.content
    with pytest.raises(UsageError, match=r"offers .* bytes, not 170,498,071"):
        cifar10(str(tmp_path), url=server.url)
    assert not (tmp_path / ARCHIVE).exists()


def test_an_archive_cut_short_is_named_and_left_alone(cifar, tmp_path):
    (tmp_path / ARCHIVE).write_bytes(cifar.content[:-1000])
    with pytest.raises(UsageError, match=r"cifar-10-python\.tar\.gz is cut short: .* bytes; delete it"):
        load(tmp_path, cifar.kind)
    assert (tmp_path / ARCHIVE).exists()


def test_a_damaged_archive_is_named(cifar, tmp_path):
    (tmp_path / ARCHIVE).write_bytes(cifar.content[:-1] + b"x")
    with pytest.raises(UsageError, match=rf"is damaged: md5 .*, not {cifar.kind.file.md5}; delete it"):
        load(tmp_path, cifar.kind)


def test_another_archive_by_the_right_name_is_named(cifar, tmp_path):
    (tmp_path / ARCHIVE).write_bytes(cifar.content + b"x")
    with pytest.raises(UsageError, match="is not the archive"):
        load(tmp_path, cifar.kind)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("data_batch_3", None, "No such file"),
        ("data_batch_3", b"", "Ran out of input"),
        ("test_batch", b"<html>", "invalid load key"),
        ("data_batch_1", pickled({b"labels": [1]}), "it holds no bytes of images"),
        ("data_batch_1", pickled([1, 2]), "it holds no bytes of images"),
        ("data_batch_1", pickled({b"labels": [1], b"data": np.zeros((1, 3072))}), "it holds no bytes of images"),
        ("data_batch_1", pickled({b"labels": [1], b"data": np.zeros((2, 3072), np.uint8)}), "1 labels of 0 to 9"),
        ("data_batch_1", pickled({b"labels": [10], b"data": np.zeros((1, 3072), np.uint8)}), "1 labels of 0 to 9"),
    ],
)
def test_a_missing_or_damaged_batch_is_named(cifar, tmp_path, name, content, reason):
    batches = cifar.write_batches(tmp_path / FOLDER)
    (batches / name).write_bytes(content) if content is not None else (batches / name).unlink()
    with pytest.raises(UsageError, match=rf"{name} cannot be read: .*{reason}"):
        load(tmp_path, cifar.kind)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.999])
def test_a_truncated_batch_is_named(cifar, tmp_path, share):
    batch = cifar.write_batches(tmp_path / FOLDER) / "data_batch_2"
    batch.write_bytes(batch.read_bytes()[: int(share * batch.stat().st_size)])
    with pytest.raises(UsageError, match="data_batch_2 cannot be read"):
        load(tmp_path, cifar.kind)


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("was-run",)


def test_code_in_a_batch_is_never_run(cifar, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    batches = cifar.write_batches(tmp_path / FOLDER)
    (batches / "data_batch_1").write_bytes(pickle.dumps({b"data": Harmful()}))
    with pytest.raises(UsageError, match=r"data_batch_1 cannot be read: it asks for posix\.mkdir|nt\.mkdir"):
        load(tmp_path, cifar.kind)
    assert not (tmp_path / "was-run").exists()


def test_an_array_in_fortrans_order_is_read_as_numpy_would(cifar, tmp_path):
    batches = cifar.write_batches(tmp_path / FOLDER)
    pixels = np.asfortranarray(cifar.test.images.reshape(20, -1).numpy())
    content = pickled({b"labels": cifar.test.labels.tolist(), b"data": pixels})
    assert content != cifar.batches["test_batch"]
    np.testing.assert_array_equal(pickle.loads(content, encoding="bytes")[b"data"], pixels)
    (batches / "test_batch").write_bytes(content)
    assert len(load(tmp_path, cifar.kind)[1]) == 20  # and they pass the check of the pixels


def test_one_changed_pixel_is_noticed(cifar, tmp_path):
    root = cifar.write_class_folders(tmp_path)
    file = next((root / "train" / "cat").iterdir())
    with Image.open(file) as image:
        pixels = np.array(image)
    pixels[3, 4, 1] ^= 1
    Image.fromarray(pixels).save(file)
    with pytest.raises(UsageError, match=r"its 100 training images and labels are not CIFAR-10's .*dataset=folder"):
        load(root, cifar.kind)


def test_an_image_in_the_wrong_class_is_noticed(cifar, tmp_path):
    root = cifar.write_class_folders(tmp_path)
    file = next((root / "test" / "cat").iterdir())
    file.rename(root / "test" / "dog" / file.name)
    with pytest.raises(UsageError, match="its 20 test images and labels are not CIFAR-10's"):
        load(root, cifar.kind)


def test_other_classes_are_sent_to_dataset_folder(cifar, tmp_path):
    root = cifar.write_class_folders(tmp_path)
    for split in ("train", "test"):
        (root / split / "cat").rename(root / split / "kitten")
    with pytest.raises(UsageError, match=r"kitten.*dataset=folder dataset\.root="):
        load(root, cifar.kind)


def test_the_checksum_knows_images_and_labels_but_not_their_order(cifar):
    original, order = checksum_and_order(cifar.train)
    backwards = cifar.train[torch.arange(99, -1, -1)]
    again, other_order = checksum_and_order(backwards)
    assert again == original
    assert torch.equal(backwards.images[other_order], cifar.train.images[order])
    assert checksum_and_order(replace(cifar.train, labels=cifar.train.labels.roll(1)))[0] != original


def test_the_config_names_the_universitys_address():
    assert f"url: {URL}\n" in (CONFIGS / "dataset" / "cifar10.yaml").read_text()
