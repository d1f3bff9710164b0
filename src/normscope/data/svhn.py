"""Street View House Numbers in whatever form they lie there, or downloaded: `dataset=svhn`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from normscope.data.dataset import Dataset, Split, in_splits
from normscope.data.mat_files import read_arrays
from normscope.data.published import File, Published, checked, class_folders, fetched
from normscope.errors import UsageError

URL = "http://ufldl.stanford.edu/housenumbers/"
# The decoded images have not been summed: class folders are checked by their counts alone.
SVHN = Published(
    title="SVHN",
    classes=tuple("0123456789"),
    train=(4948, 13861, 10585, 8497, 7458, 6882, 5727, 5595, 5045, 4659),
    test=(1744, 5099, 4149, 2882, 2523, 2384, 1977, 2019, 1660, 1595),
)
FILES = (
    File("train_32x32.mat", f"{URL}train_32x32.mat", 182_040_794, "e26dedcc434d2e4c54c9b2d4a06d8373"),
    File("test_32x32.mat", f"{URL}test_32x32.mat", 64_275_384, "eb5a983be6a315427106f1b164d9cef3"),
)


def svhn(
    root: str,
    url: str = URL,
    validation: int = 0,
    fold: int = 0,
    train_size: int | None = None,
    test_size: int | None = None,
    classes: Sequence[int | str] | None = None,
    random_labels: float = 0.0,
) -> Dataset:
    """Netzer et al. 2011: 73,257 training and 26,032 test images of digits on houses, 32x32; without the "extra" ones.

    Taken from `root`, which holds the files `train_32x32.mat` and `test_32x32.mat`, or class folders of images
    (`train/<digit>/*`, `test/<digit>/*`); else the files are downloaded to it. Label 10 of the files is digit 0. The
    files are checked by their MD5, class folders by the number of images of each class.

    Args:
        root: the folder.
        url: of the folder that the files are downloaded from.
        validation, fold, train_size, test_size, classes, random_labels: see `dataset.in_splits`.
    Raises:
        UsageError: if the data is missing and cannot be downloaded, or is damaged.
        ValueError: if a count or share is out of range, or a class is not there.
    """
    train, test = load(Path(root).expanduser(), SVHN, FILES, url)
    return in_splits(
        "svhn",
        SVHN.classes,
        train,
        test,
        validation=validation,
        fold=fold,
        train_size=train_size,
        test_size=test_size,
        classes=classes,
        random_labels=random_labels,
    )


def load(root: Path, published: Published, files: Sequence[File], url: str) -> tuple[Split, Split]:
    """The whole training and test split, checked.

    Args:
        files: that of the training images, that of the test images.
    Raises:
        UsageError: see `svhn`.
    """
    found = None if (root / files[0].name).exists() else class_folders(root, published)
    if found is None:
        train, test = (
            fetched(root / file.name, file, f"{url.rstrip('/')}/{file.name}", published, also="") for file in files
        )
        found = read_split(train), read_split(test)
    return checked(root, published, *found)


def read_split(path: Path) -> Split:
    """The images of one file, X (32, 32, 3, N), and its labels y (N, 1), 1 to 10.

    Raises:
        UsageError: if the file is damaged or holds something else.
    """
    arrays = read_arrays(path)
    match arrays:
        case {"X": images, "y": labels} if images.ndim == 4 and images.dtype == np.uint8:
            pixels = np.ascontiguousarray(images.transpose(3, 2, 0, 1))  # (N, 3, 32, 32)
            return Split(torch.from_numpy(pixels), torch.from_numpy(labels.astype(np.int64).reshape(-1) % 10))
    raise UsageError(f"{path} holds {', '.join(arrays) or 'nothing'}, not images X and labels y; delete it")
