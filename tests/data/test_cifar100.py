import hashlib
import io
import tarfile
from dataclasses import replace

import pytest
import torch

from normscope.data.cifar import load
from normscope.data.cifar100 import CIFAR100, URL, cifar100
from normscope.data.dataset import Split
from normscope.data.published import checksum_and_order
from normscope.errors import UsageError
from normscope.places import CONFIGS
from tests.data.python2_pickle import pickled


def drawn(count, seed):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, 3, 32, 32), generator=generator, dtype=torch.uint8)
    return Split(images, torch.arange(count) % 100)


TRAIN, TEST = drawn(200, 0), drawn(100, 1)


def pickle_of(split):
    fine = split.labels.tolist()
    return pickled(
        {
            b"fine_labels": fine,
            b"coarse_labels": [label // 5 for label in fine],
            b"data": split.images.reshape(len(split), -1).numpy(),
        }
    )


BATCHES = {"train": pickle_of(TRAIN), "test": pickle_of(TEST)}


def archive():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name, batch in BATCHES.items():
            entry = tarfile.TarInfo(f"{CIFAR100.layout.folder}/{name}")
            entry.size = len(batch)
            tar.addfile(entry, io.BytesIO(batch))
    return file.getvalue()


CONTENT = archive()
LITTLE = replace(
    CIFAR100,
    published=replace(CIFAR100.published, train=(2,), test=(1,)),
    file=replace(CIFAR100.file, size=len(CONTENT), md5=hashlib.md5(CONTENT).hexdigest()),
)


def check(found):
    for split, original in zip(found, (TRAIN, TEST), strict=True):
        expected = original[checksum_and_order(original)[1]]
        assert torch.equal(split.images, expected.images)
        assert torch.equal(split.labels, expected.labels)


def test_the_fine_labels_are_read_from_a_downloaded_archive(tmp_path, server):
    server.content = CONTENT
    for _ in range(2):
        check(load(tmp_path, LITTLE, server.url))
    assert len(server.ranges) == 1


def test_an_unpacked_archive_is_read(tmp_path):
    folder = tmp_path / CIFAR100.layout.folder
    folder.mkdir()
    for name, batch in BATCHES.items():
        (folder / name).write_bytes(batch)
    check(load(tmp_path, LITTLE, URL))
    (folder / "train").write_bytes(pickle_of(TRAIN[torch.arange(199)]))
    with pytest.raises(UsageError, match="199 training images are not CIFAR-100's 200, or not in the right classes"):
        load(tmp_path, LITTLE, URL)
    (folder / "train").write_bytes(pickled({b"labels": [1], b"data": TRAIN.images[:1].reshape(1, -1).numpy()}))
    with pytest.raises(UsageError, match="train cannot be read: it holds no bytes of images with a list of labels"):
        load(tmp_path, LITTLE, URL)


def test_a_failed_download_says_how_to_get_the_data_by_hand(tmp_path):
    with pytest.raises(UsageError) as error:
        cifar100(str(tmp_path / "nowhere"), url="http://127.0.0.1:9/x")
    for said in (URL, "169,001,437 bytes, md5 eb9058c3a382ffc7106e4002c42a8d85", "cifar-100-python/", "dataset.url"):
        assert said in str(error.value)


def test_there_are_a_hundred_classes_in_alphabetical_order():
    classes = CIFAR100.published.classes
    assert len(classes) == len(set(classes)) == 100
    assert list(classes) == sorted(classes)
    assert f"url: {URL}\n" in (CONFIGS / "dataset" / "cifar100.yaml").read_text()
