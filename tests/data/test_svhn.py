import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from normscope.data.published import checksum_and_order
from normscope.data.svhn import FILES, SVHN, URL, load, svhn
from normscope.errors import UsageError
from normscope.places import CONFIGS
from tests.data.matlab import mat_file

RANDOM = np.random.default_rng(0)
IMAGES = [RANDOM.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8) for count in (40, 20)]
DIGITS = [np.arange(count) % 10 for count in (40, 20)]
CONTENTS = [
    mat_file({"X": images.transpose(1, 2, 3, 0), "y": np.where(digits == 0, 10, digits)[:, None].astype(np.uint8)})
    for images, digits in zip(IMAGES, DIGITS, strict=True)
]
LITTLE = replace(SVHN, train=(4,), test=(2,))


def described(contents=CONTENTS):
    return tuple(
        replace(file, size=len(content), md5=hashlib.md5(content).hexdigest())
        for file, content in zip(FILES, contents, strict=True)
    )


def test_what_is_missing_is_downloaded_and_label_10_is_digit_0(tmp_path, server):
    server.files = {file.name: content for file, content in zip(FILES, CONTENTS, strict=True)}
    for _ in range(2):
        found = load(tmp_path, LITTLE, described(), server.url.rpartition("/")[0])
    assert len(server.ranges) == 2
    for split, images, digits in zip(found, IMAGES, DIGITS, strict=True):
        original = replace(split, images=torch.from_numpy(images).permute(0, 3, 1, 2), labels=torch.from_numpy(digits))
        expected = original[checksum_and_order(original)[1]]
        assert torch.equal(split.images, expected.images)
        assert torch.equal(split.labels, expected.labels)


def test_a_file_that_holds_something_else_is_named(tmp_path):
    contents = [mat_file({"X": np.zeros((3, 1))}), CONTENTS[1]]
    for file, content in zip(FILES, contents, strict=True):
        (tmp_path / file.name).write_bytes(content)
    with pytest.raises(UsageError, match=r"train_32x32\.mat holds X, not images X and labels y"):
        load(tmp_path, LITTLE, described(contents), URL)


def test_a_failed_download_says_how_to_get_the_data_by_hand(tmp_path):
    with pytest.raises(
        UsageError, match=r"(?s)SVHN is not in .*By hand: fetch http://ufldl.* \(182,040,794 bytes"
    ) as error:
        svhn(str(tmp_path), url="http://127.0.0.1:9/")
    assert f"put it at {tmp_path / FILES[0].name}" in str(error.value)


def test_the_published_numbers_fit_one_another():
    assert f"url: {URL}\n" in (CONFIGS / "dataset" / "svhn.yaml").read_text()
    assert (sum(SVHN.train), sum(SVHN.test)) == (73_257, 26_032)
