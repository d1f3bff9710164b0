"""Fashion-MNIST in whatever form it lies there, or downloaded: `dataset=fashion_mnist`."""

from collections.abc import Sequence
from pathlib import Path

from normscope.data.dataset import Dataset, in_splits
from normscope.data.mnist import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, load, repeated
from normscope.data.published import File, Published

URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
NAMES = "t-shirt,trouser,pullover,dress,coat,sandal,shirt,sneaker,bag,ankle boot"
# The decoded images have not been summed: class folders are checked by their counts alone.
FASHION_MNIST = Published(title="Fashion-MNIST", classes=tuple(NAMES.split(",")), train=(6000,), test=(1000,))
FILES = (
    File(TRAIN_IMAGES, f"{URL}{TRAIN_IMAGES}", 26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
    File(TRAIN_LABELS, f"{URL}{TRAIN_LABELS}", 29_515, "25c81989df183df01b3e8a0aad5dffbe"),
    File(TEST_IMAGES, f"{URL}{TEST_IMAGES}", 4_422_102, "bef4ecab320f06d8554ea6380940ec79"),
    File(TEST_LABELS, f"{URL}{TEST_LABELS}", 5_148, "bb300cfdad3c16e7a12a480ee83cd310"),
)


def fashion_mnist(
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
    """Xiao et al. 2017, arXiv:1708.07747: 60,000 training and 10,000 test images of clothes, 28x28, one channel.

    Taken from `root`, which holds the four published files, or class folders of images (`train/<class>/*`,
    `test/<class>/*`); else the files are downloaded to it. The files are checked by their MD5, class folders by the
    number of images of each class.

    Args:
        root: the folder.
        url: of the folder that the files are downloaded from.
        pad: pixels of black added on each side: 2 gives 32x32, the least that VGG takes.
        channels: 1; or 3, all of them the same gray, for a network that was made for colour.
        validation, fold, train_size, test_size, classes, random_labels: see `dataset.in_splits`.
    Raises:
        UsageError: if the data is missing and cannot be downloaded, or is damaged.
        ValueError: if a count, share, pad or number of channels is out of range, or a class is not there.
    """
    splits = load(Path(root).expanduser(), FASHION_MNIST, FILES, url, pad)
    train, test = (repeated(split, channels) for split in splits)
    return in_splits(
        "fashion_mnist",
        FASHION_MNIST.classes,
        train,
        test,
        validation=validation,
        fold=fold,
        train_size=train_size,
        test_size=test_size,
        classes=classes,
        random_labels=random_labels,
    )
