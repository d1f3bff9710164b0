import gzip
import hashlib
import struct
from dataclasses import replace

import pytest
import torch
from PIL import Image

from normscope.data import fashion_mnist, mnist
from normscope.data.dataset import Split
from normscope.data.mnist import FILES, MNIST, load, repeated
from normscope.data.published import checksum_and_order
from normscope.errors import UsageError
from normscope.places import CONFIGS

NOWHERE = "http://127.0.0.1:9/mnist"


def drawn(count, seed):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, 1, 28, 28), generator=generator, dtype=torch.uint8)
    return Split(images, torch.arange(count) % 10)


TRAIN, TEST = drawn(50, 0), drawn(20, 1)


def idx(array):
    head = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(head + array.numpy().tobytes())


CONTENTS = [idx(part) for s in (TRAIN, TEST) for part in (s.images[:, 0], s.labels.to(torch.uint8))]


def described(contents=CONTENTS):
    return tuple(
        replace(file, size=len(content), md5=hashlib.md5(content).hexdigest())
        for file, content in zip(FILES, contents, strict=True)
    )


LITTLE = replace(MNIST, train_sum=checksum_and_order(TRAIN)[0], test_sum=checksum_and_order(TEST)[0])
UNSUMMED = replace(MNIST, train=(5,), test=(2,), train_sum="", test_sum="")


def write_files(root, contents=CONTENTS):
    root.mkdir(exist_ok=True)
    for file, content in zip(FILES, contents, strict=True):
        (root / file.name).write_bytes(content)
    return root


def write_class_folders(root, mode="L"):
    for name, split in (("train", TRAIN), ("test", TEST)):
        for index, (image, label) in enumerate(zip(split.images, split.labels.tolist(), strict=True)):
            folder = root / name / str(label)
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image[0].numpy()).convert(mode).save(folder / f"{index}.png")
    return root


def write_colour_folders(root):
    return write_class_folders(root, "RGB")


@pytest.mark.parametrize("form", [write_files, write_class_folders, write_colour_folders])
@pytest.mark.parametrize("published", [LITTLE, UNSUMMED], ids=["summed", "counted"])
def test_every_form_gives_the_same_images_in_the_same_order(tmp_path, form, published):
    found = load(form(tmp_path), published, described(), NOWHERE, pad=0)
    for split, original in zip(found, (TRAIN, TEST), strict=True):
        expected = original[checksum_and_order(original)[1]]
        assert torch.equal(split.images, expected.images)
        assert torch.equal(split.labels, expected.labels)


def test_padding_puts_black_around_the_image(tmp_path):
    whole, padded = (load(write_files(tmp_path), LITTLE, described(), NOWHERE, pad)[0].images for pad in (0, 2))
    assert padded.shape == (50, 1, 32, 32)
    assert torch.equal(padded[:, :, 2:-2, 2:-2], whole)
    assert padded.long().sum() == whole.long().sum()


@pytest.mark.parametrize("slash", ["", "/"])
def test_what_is_missing_is_downloaded_once(tmp_path, server, slash):
    server.files = {file.name: content for file, content in zip(FILES, CONTENTS, strict=True)}
    url = server.url.rpartition("/")[0] + slash
    write_files(tmp_path)
    (tmp_path / FILES[1].name).unlink()
    (tmp_path / FILES[2].name).unlink()
    for _ in range(2):
        assert len(load(tmp_path, LITTLE, described(), url, pad=0)[0]) == 50
    assert len(server.ranges) == 2


@pytest.mark.parametrize("module", [mnist, fashion_mnist])
def test_a_failed_download_says_how_to_get_the_data_by_hand(tmp_path, module):
    name = module.__name__.rpartition(".")[2]
    with pytest.raises(UsageError) as error:
        getattr(module, name)(str(tmp_path / "nowhere"), url=NOWHERE)
    message = str(error.value)
    file = module.FILES[0]
    assert f"{NOWHERE}/{file.name}" in message
    assert f"fetch {module.URL}{file.name} ({file.size:,} bytes, md5 {file.md5})" in message
    assert f"put it at {tmp_path / 'nowhere' / file.name}" in message
    for way_out in ("class folders", "dataset.url", "dataset.root", "dataset=sample"):
        assert way_out in message


def test_a_damaged_file_is_named(tmp_path):
    write_files(tmp_path, [CONTENTS[0][:-1] + b"x", *CONTENTS[1:]])
    with pytest.raises(UsageError, match=r"train-images-idx3-ubyte\.gz is damaged: md5"):
        load(tmp_path, LITTLE, described(), NOWHERE, pad=0)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html>", "Not a gzipped file"),
        (CONTENTS[0][:-500], "ended before"),
        (gzip.compress(b"\0\0\x08\x03"), "holds no bytes in 3 dimensions"),
        (idx(TRAIN.labels.to(torch.uint8)), "holds no bytes in 3 dimensions"),
        (gzip.compress(gzip.decompress(CONTENTS[0])[:-1]), r"bytes are not \(50, 28, 28\)"),
        (idx(TEST.images[:, 0]), "holds 20 images and .* 50 labels"),
    ],
)
def test_a_file_that_holds_something_else_is_named(tmp_path, content, reason):
    contents = [content, *CONTENTS[1:]]
    write_files(tmp_path, contents)
    with pytest.raises(UsageError, match=rf"train-images-idx3-ubyte\.gz .*{reason}"):
        load(tmp_path, LITTLE, described(contents), NOWHERE, pad=0)


def test_a_missing_image_is_noticed_with_and_without_a_checksum(tmp_path):
    root = write_class_folders(tmp_path)
    next((root / "train" / "3").iterdir()).unlink()
    with pytest.raises(UsageError, match="49 training images and labels are not MNIST's"):
        load(root, LITTLE, described(), NOWHERE, pad=0)
    with pytest.raises(UsageError, match="49 training images are not MNIST's 50, or not in the right classes"):
        load(root, UNSUMMED, described(), NOWHERE, pad=0)


def test_a_negative_pad_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"pad \(-1\) must be at least 0"):
        load(write_files(tmp_path), LITTLE, described(), NOWHERE, pad=-1)


@pytest.mark.parametrize("module", [mnist, fashion_mnist])
def test_the_published_numbers_fit_one_another(module):
    name = module.__name__.rpartition(".")[2]
    assert f"url: {module.URL}\n" in (CONFIGS / "dataset" / f"{name}.yaml").read_text()
    published = getattr(module, name.upper())
    for counts, total in ((published.train, 60_000), (published.test, 10_000)):
        assert sum(counts * 10 if len(counts) == 1 else counts) == total


def test_gray_can_be_repeated_for_a_network_of_three_channels():
    colour = repeated(TRAIN, 3)
    assert colour.images.shape == (50, 3, 28, 28)
    assert all(torch.equal(colour.images[:, channel], TRAIN.images[:, 0]) for channel in range(3))
    assert torch.equal(repeated(TRAIN, 1).images, TRAIN.images)
    with pytest.raises(ValueError, match=r"channels \(2\) must be 1, or 3 for a network"):
        repeated(TRAIN, 2)
