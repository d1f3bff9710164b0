"""CIFAR-10 in whatever form it lies there, or downloaded: `dataset=cifar10`."""

from collections.abc import Sequence
from pathlib import Path

from normscope.data.cifar import Cifar, load
from normscope.data.cifar_files import Layout
from normscope.data.dataset import Dataset, in_splits
from normscope.data.published import File, Published

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
CIFAR10 = Cifar(
    Published(
        title="CIFAR-10",
        classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        train=(5000,),
        test=(1000,),
        train_sum="55a61f79a40ece2ceda9fb5f9f7078f6ea2fc4952489cef56682bcf92cfcc260",
        test_sum="325704b01eb92e1e2a6215ae6a916bb7db7de054af0c496be1c7be2e0fcfbf5f",
    ),
    File(name="cifar-10-python.tar.gz", url=URL, size=170_498_071, md5="c58f30108f718f92721af3b95e74349a"),
    Layout(
        title="CIFAR-10",
        folder="cifar-10-batches-py",
        train=tuple(f"data_batch_{number}" for number in range(1, 6)),
        test=("test_batch",),
        labels=b"labels",
        classes=10,
    ),
)


def cifar10(
    root: str,
    url: str = URL,
    validation: int = 0,
    fold: int = 0,
    train_size: int | None = None,
    test_size: int | None = None,
    classes: Sequence[int | str] | None = None,
    random_labels: float = 0.0,
) -> Dataset:
    """Krizhevsky 2009: 50,000 training and 10,000 test images, 32x32, in ten classes.

    Taken from `root`, which is or holds the folder `cifar-10-batches-py` or the file `cifar-10-python.tar.gz`, or holds
    class folders of images (`train/<class>/*`, `test/<class>/*`); else the archive is downloaded to it. Every form
    gives the same images and labels in the same order.

    Args:
        root: the folder.
        url: where the archive is downloaded from.
        validation, fold, train_size, test_size, classes, random_labels: see `dataset.in_splits`.
    Raises:
        UsageError: if the data is missing and cannot be downloaded, or is not CIFAR-10's to the last bit.
        ValueError: if a count or share is out of range, or a class is not there.
    """
    train, test = load(Path(root).expanduser(), CIFAR10, url)
    return in_splits(
        "cifar10",
        CIFAR10.published.classes,
        train,
        test,
        validation=validation,
        fold=fold,
        train_size=train_size,
        test_size=test_size,
        classes=classes,
        random_labels=random_labels,
    )
