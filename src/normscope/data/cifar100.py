"""CIFAR-100 in whatever form it lies there, or downloaded: `dataset=cifar100`."""

from collections.abc import Sequence
from pathlib import Path

from normscope.data.cifar import Cifar, load
from normscope.data.cifar_files import Layout
from normscope.data.dataset import Dataset, in_splits
from normscope.data.published import File, Published

URL = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
CLASSES = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale willow_tree
wolf woman worm
"""
CIFAR100 = Cifar(
    # The decoded images have not been summed: an unpacked folder and class folders are checked by their counts alone.
    Published(title="CIFAR-100", classes=tuple(CLASSES.split()), train=(500,), test=(100,)),
    File(name="cifar-100-python.tar.gz", url=URL, size=169_001_437, md5="eb9058c3a382ffc7106e4002c42a8d85"),
    Layout(
        title="CIFAR-100",
        folder="cifar-100-python",
        train=("train",),
        test=("test",),
        labels=b"fine_labels",
        classes=100,
    ),
)


def cifar100(
    root: str,
    url: str = URL,
    validation: int = 0,
    fold: int = 0,
    train_size: int | None = None,
    test_size: int | None = None,
    classes: Sequence[int | str] | None = None,
    random_labels: float = 0.0,
) -> Dataset:
    """Krizhevsky 2009: 50,000 training and 10,000 test images, 32x32, in a hundred classes (the fine labels).

    Taken from `root`, which is or holds the folder `cifar-100-python` or the file `cifar-100-python.tar.gz`, or holds
    class folders of images (`train/<class>/*`, `test/<class>/*`); else the archive is downloaded to it. The archive is
    checked by its MD5, other forms by the number of images of each class.

    Args:
        root: the folder.
        url: where the archive is downloaded from.
        validation, fold, train_size, test_size, classes, random_labels: see `dataset.in_splits`.
    Raises:
        UsageError: if the data is missing and cannot be downloaded, or is not CIFAR-100's as far as that can be told.
        ValueError: if a count or share is out of range, or a class is not there.
    """
    train, test = load(Path(root).expanduser(), CIFAR100, url)
    return in_splits(
        "cifar100",
        CIFAR100.published.classes,
        train,
        test,
        validation=validation,
        fold=fold,
        train_size=train_size,
        test_size=test_size,
        classes=classes,
        random_labels=random_labels,
    )
