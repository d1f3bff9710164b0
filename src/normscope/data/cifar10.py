"""CIFAR-10 in whatever form it lies there, or downloaded: `dataset=cifar10`."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from normscope.data.cifar_files import FOLDER, read_archive, read_batches
from normscope.data.dataset import Dataset, Split, in_splits
from normscope.data.download import download, md5_of
from normscope.data.folder import read_class_folders
from normscope.errors import UsageError

ARCHIVE = "cifar-10-python.tar.gz"  # its name on the disk, whatever a mirror calls it
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@dataclass(frozen=True)
class Archive:
    """A published archive of pickled batches.

    Attributes:
        url, size, md5: of the tar.gz; size in bytes.
        train, test: checksum of the decoded splits; see `checksum_and_order`.
    """

    url: str
    size: int
    md5: str
    train: str
    test: str


CIFAR10 = Archive(
    url="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    size=170_498_071,
    md5="c58f30108f718f92721af3b95e74349a",
    train="55a61f79a40ece2ceda9fb5f9f7078f6ea2fc4952489cef56682bcf92cfcc260",
    test="325704b01eb92e1e2a6215ae6a916bb7db7de054af0c496be1c7be2e0fcfbf5f",
)


def cifar10(
    root: str,
    url: str = CIFAR10.url,
    validation: int = 0,
    train_size: int | None = None,
    test_size: int | None = None,
) -> Dataset:
    """Krizhevsky 2009: 50,000 training and 10,000 test images, 32x32, in ten classes.

    Taken from `root`, which is or holds the folder `cifar-10-batches-py` or the file `cifar-10-python.tar.gz`, or holds
    class folders of images (`train/<class>/*`, `test/<class>/*`); else the archive is downloaded to it. Every form
    gives the same images and labels in the same order.

    Args:
        root: the folder.
        url: where the archive is downloaded from.
        validation, train_size, test_size: see `dataset.in_splits`.
    Raises:
        UsageError: if the data is missing and cannot be downloaded, or is not CIFAR-10's to the last bit.
        ValueError: if a count is out of range.
    """
    train, test = load(Path(root).expanduser(), replace(CIFAR10, url=url))
    return in_splits("cifar10", CLASSES, train, test, validation=validation, train_size=train_size, test_size=test_size)


def load(root: Path, archive: Archive) -> tuple[Split, Split]:
    """The whole training and test split of an archive, from whatever form lies in `root`, checked.

    Raises:
        UsageError: see `cifar10`.
    """
    source, train, test = _found(root, archive)
    return _checked(source, "training", train, archive.train), _checked(source, "test", test, archive.test)


def _found(root: Path, archive: Archive) -> tuple[Path, Split, Split]:
    """Where the data lies, and both splits as they lie there."""
    for folder in (root / FOLDER, root):
        if (folder / "data_batch_1").exists() or (folder.name == FOLDER and folder.is_dir()):
            return folder, *read_batches(folder)
    path = root if root.is_file() else root / ARCHIVE
    if path.exists():
        _check_archive(path, archive)
    elif (root / "train").is_dir() or (root / "test").is_dir():
        classes, train, test = read_class_folders(root)
        if classes != CLASSES:
            raise UsageError(
                f"{root} holds the classes {', '.join(classes)}; those of CIFAR-10 are {', '.join(CLASSES)}. "
                f"For images of your own: dataset=folder dataset.root={root}"
            )
        return root, train, test
    else:
        _download(path, archive)
    return path, *read_archive(path)


def _check_archive(path: Path, archive: Archive) -> None:
    """Tell a broken copy from the archive by its size and its checksum."""
    size = path.stat().st_size
    if size != archive.size:
        what = "is cut short" if size < archive.size else "is not the archive"
        raise UsageError(f"{path} {what}: {size:,} of {archive.size:,} bytes; delete it to have it downloaded again")
    found = md5_of(path)
    if found != archive.md5:
        raise UsageError(f"{path} is damaged: md5 {found}, not {archive.md5}; delete it to have it downloaded again")


def _download(path: Path, archive: Archive) -> None:
    try:
        download(archive.url, path, size=archive.size, md5=archive.md5)
    except UsageError as error:
        raise UsageError(
            f"CIFAR-10 is not in {path.parent}, and the download failed: {error}.\n"
            f"By hand: fetch {CIFAR10.url} ({archive.size:,} bytes, md5 {archive.md5}),\n"
            f"e.g. with curl -L -C - -o {path} URL, and put it at {path}.\n"
            f"Also taken there: the unpacked {FOLDER}/, or class folders train/<class>/*.png and test/<class>/*.png.\n"
            "Or name another folder (dataset.root=DIR) or a mirror (dataset.url=URL); dataset=sample needs no download."
        ) from error


def checksum_and_order(split: Split) -> tuple[str, torch.Tensor]:
    """What tells a split from any other, however its images are ordered; and an order that depends on them alone.

    Returns:
        SHA-256 over the sorted SHA-256 of every image (its label as a byte, then its bytes, channel by channel); the
        indices (N,) that sort the images by it.
    """
    pixels, labels = split.images.numpy(), split.labels.tolist()
    digests = [
        hashlib.sha256(bytes((label,)) + image.tobytes()).digest() for label, image in zip(labels, pixels, strict=True)
    ]
    order = sorted(range(len(digests)), key=digests.__getitem__)
    return hashlib.sha256(b"".join(digests[index] for index in order)).hexdigest(), torch.tensor(order)


def _checked(source: Path, name: str, split: Split, expected: str) -> Split:
    """The split in the order of its checksum, so that every form of the data gives the same one."""
    found, order = checksum_and_order(split)
    if found != expected:
        raise UsageError(
            f"{source}: its {len(split):,} {name} images and labels are not CIFAR-10's (sha256 {found}, not "
            f"{expected}): some are missing, doubled, changed or in the wrong class; take a fresh copy, or "
            "dataset=folder for images of your own"
        )
    return split[order]
