"""MNIST in whatever form it lies there, or downloaded: `dataset=mnist`; and what Fashion-MNIST shares with it."""

from collections.abc import Sequence
from pathlib import Path

from torch.nn import functional as F

from normscope.data.dataset import Dataset, Split, in_splits
from normscope.data.idx_files import read_split
from normscope.data.published import File, Published, checked, class_folders, fetched

URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
MNIST = Published(
    title="MNIST",
    classes=tuple("0123456789"),
    train=(5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
    test=(980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
    train_sum="3655811c0e1223700a4714a92a51f55bd215ed7dc1fa2baa4326a2b58042d82d",
    test_sum="634538fb34c5277fce98470b8b285d1e8419eb87f328da42ef1faf690d2c3911",
)
TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"
FILES = (
    File(TRAIN_IMAGES, f"{URL}{TRAIN_IMAGES}", 9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
    File(TRAIN_LABELS, f"{URL}{TRAIN_LABELS}", 28_881, "d53e105ee54ea40749a09fcbcd1e9432"),
    File(TEST_IMAGES, f"{URL}{TEST_IMAGES}", 1_648_877, "9fb629c4189551a2d022fa330f9573f3"),
    File(TEST_LABELS, f"{URL}{TEST_LABELS}", 4_542, "ec29112dd5afa0611ce80d1b7f02629c"),
)


def mnist(
    root: str,
    url: str = URL,
    pad: int = 2,
    channels: int = 1,
    validation: int = 0,
    fold: int = 0,
    train_size: int | None = None,
    test_size: int | None = None,
    classes: Sequence[int | str] | None = None,
    random_labels: float = 0.0,
) -> Dataset:
    """LeCun et al. 1998: 60,000 training and 10,000 test images of handwritten digits, 28x28, one channel.

    Taken from `root`, which holds the four published files, or class folders of images (`train/<digit>/*`,
    `test/<digit>/*`); else the files are downloaded to it. Either form gives the same images in the same order.

    Args:
        root: the folder.
        url: of the folder that the files are downloaded from.
        pad: pixels of black added on each side: 2 gives 32x32, the least that VGG takes.
        channels: 1; or 3, all of them the same gray, for a network that was made for colour.
        validation, fold, train_size, test_size, classes, random_labels: see `dataset.in_splits`.
    Raises:
        UsageError: if the data is missing and cannot be downloaded, or is not MNIST's to the last bit.
        ValueError: if a count, share, pad or number of channels is out of range, or a class is not there.
    """
    train, test = (repeated(split, channels) for split in load(Path(root).expanduser(), MNIST, FILES, url, pad))
    return in_splits(
        "mnist",
        MNIST.classes,
        train,
        test,
        validation=validation,
        fold=fold,
        train_size=train_size,
        test_size=test_size,
        classes=classes,
        random_labels=random_labels,
    )


def load(root: Path, published: Published, files: Sequence[File], url: str, pad: int) -> tuple[Split, Split]:
    """The whole training and test split, checked and padded.

    Args:
        files: training images and labels, test images and labels.
    Raises:
        UsageError: see `mnist`.
        ValueError: if pad is negative.
    """
    if pad < 0:
        raise ValueError(f"pad ({pad}) must be at least 0 pixels")
    found = None if (root / files[0].name).exists() else class_folders(root, published)
    if found is None:
        addresses = [f"{url.rstrip('/')}/{file.name}" for file in files]
        paths = [
            fetched(root / file.name, file, address, published, also="")
            for file, address in zip(files, addresses, strict=True)
        ]
        found = read_split(*paths[:2]), read_split(*paths[2:])
    train, test = checked(root, published, *map(gray, found))
    return padded(train, pad), padded(test, pad)


def gray(split: Split) -> Split:
    """One channel of images that were stored as colour and have none; others as they are."""
    first = split.images[:, :1]
    return Split(first.contiguous(), split.labels) if (split.images == first).all() else split


def padded(split: Split, pad: int) -> Split:
    """The images with `pad` pixels of black on each side."""
    return Split(F.pad(split.images, (pad,) * 4), split.labels) if pad else split


def repeated(split: Split, channels: int) -> Split:
    """Gray images (N, 1, H, W) with their one channel in each of so many.

    Raises:
        ValueError: if that is neither 1 nor 3.
    """
    if channels not in (1, 3):
        raise ValueError(f"channels ({channels}) must be 1, or 3 for a network that was made for colour")
    return Split(split.images.expand(-1, channels, -1, -1), split.labels)
