"""Class folders of images: `dataset=folder`."""

from collections.abc import Sequence
from pathlib import Path

from normscope.data.cache import cached_splits
from normscope.data.dataset import Dataset, Split, in_splits
from normscope.data.images import class_names, image_files
from normscope.errors import UsageError


def folder(
    root: str,
    validation: int = 0,
    fold: int = 0,
    train_size: int | None = None,
    test_size: int | None = None,
    classes: Sequence[int | str] | None = None,
    random_labels: float = 0.0,
) -> Dataset:
    """Images of one size in `root/train/<class>/*` and `root/test/<class>/*`, in any format that Pillow reads.

    The names of the class folders in alphabetical order are labels 0, 1, ... Images keep one channel if all of them are
    gray, else all get three. They are decoded once and then read from a cache.

    Args:
        root: the folder.
        validation, fold, train_size, test_size, classes, random_labels: see `dataset.in_splits`.
    Raises:
        UsageError: naming the folder or the file that is missing, damaged or of another size.
        ValueError: if a count or share is out of range, or a class is not there.
    """
    place = Path(root).expanduser()
    names, train, test = read_class_folders(place)
    return in_splits(
        place.resolve().name,
        names,
        train,
        test,
        validation=validation,
        fold=fold,
        train_size=train_size,
        test_size=test_size,
        classes=classes,
        random_labels=random_labels,
    )


def read_class_folders(root: Path) -> tuple[tuple[str, ...], Split, Split]:
    """The names of the classes and both splits.

    Raises:
        UsageError: see `folder`.
    """
    classes, others = class_names(root / "train"), class_names(root / "test")
    for name in sorted({*classes} ^ {*others}):
        has, lacks = ("train", "test") if name in classes else ("test", "train")
        raise UsageError(
            f"class '{name}' is in {root / has} but not in {root / lacks}; both need a folder for each class"
        )
    return classes, *cached_splits(root, image_files(root / "train", classes), image_files(root / "test", classes))
