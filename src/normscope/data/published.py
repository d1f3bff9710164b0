"""Data as its authors publish it: files of known size and checksum, had or fetched, and what they must decode to."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch

from normscope.data.dataset import Split
from normscope.data.download import download, md5_of
from normscope.data.folder import read_class_folders
from normscope.errors import UsageError


@dataclass(frozen=True)
class Published:
    """A data set as it is published.

    Attributes:
        title: for people, e.g. CIFAR-10.
        classes: name of label 0, 1, ...
        train, test: images of each class in each split: one number where all classes have as many.
        train_sum, test_sum: checksums of the decoded splits, see `checksum_and_order`; "" where nobody has computed
            them: then the sums of the files and the counts have to do.
    """

    title: str
    classes: tuple[str, ...]
    train: tuple[int, ...]
    test: tuple[int, ...]
    train_sum: str = ""
    test_sum: str = ""


@dataclass(frozen=True)
class File:
    """A published file.

    Attributes:
        name: on the disk, whatever a mirror calls it.
        url: of the file.
        size, md5: in bytes; of the whole file.
    """

    name: str
    url: str
    size: int
    md5: str


def fetched(path: Path, file: File, url: str, published: Published, also: str) -> Path:
    """The path of a file that has the published size and checksum: the one that lies there, or it is downloaded.

    Args:
        path: where it lies or is put.
        url: where it is downloaded from.
        also: what else is taken in its place, in words, for the message.
    Raises:
        UsageError: if the file is damaged, or missing and cannot be had; the message says how to get it by hand.
    """
    if path.exists():
        check_file(path, file)
        return path
    try:
        download(url, path, size=file.size, md5=file.md5)
    except UsageError as error:
        raise UsageError(
            f"{published.title} is not in {path.parent}, and the download failed: {error}.\n"
            f"By hand: fetch {file.url} ({file.size:,} bytes, md5 {file.md5}),\n"
            f"e.g. with curl -L -C - -o {path} URL, and put it at {path}.\n"
            f"Also taken there: {also}class folders train/<class>/*.png and test/<class>/*.png.\n"
            "Or name another folder (dataset.root=DIR) or a mirror (dataset.url=URL); dataset=sample needs no download."
        ) from error
    return path


def check_file(path: Path, file: File) -> None:
    """Tell a broken copy from the file by its size and its checksum.

    Raises:
        UsageError: saying what is wrong with it.
    """
    size = path.stat().st_size
    if size != file.size:
        what = "is cut short" if size < file.size else "is not the archive"
        raise UsageError(f"{path} {what}: {size:,} of {file.size:,} bytes; delete it to have it downloaded again")
    found = md5_of(path)
    if found != file.md5:
        raise UsageError(f"{path} is damaged: md5 {found}, not {file.md5}; delete it to have it downloaded again")


def class_folders(root: Path, published: Published) -> tuple[Split, Split] | None:
    """Both splits out of class folders of images, if such lie in `root`.

    The names of the folders in alphabetical order must be those of the classes, whatever number each class has.

    Raises:
        UsageError: if the classes are others.
    """
    if not ((root / "train").is_dir() or (root / "test").is_dir()):
        return None
    names, train, test = read_class_folders(root)
    if sorted(names) != sorted(published.classes):
        raise UsageError(
            f"{root} holds the classes {', '.join(names)}; those of {published.title} are "
            f"{', '.join(published.classes)}. For images of your own: dataset=folder dataset.root={root}"
        )
    numbers = torch.tensor([published.classes.index(name) for name in names])
    return Split(train.images, numbers[train.labels]), Split(test.images, numbers[test.labels])


def checked(source: Path, published: Published, train: Split, test: Split) -> tuple[Split, Split]:
    """Both splits in the order of their checksums, so that every form of the data gives the same ones.

    Raises:
        UsageError: if images are missing, doubled or changed, as far as that can be told.
    """
    return (
        _checked(source, published, "training", train, published.train, published.train_sum),
        _checked(source, published, "test", test, published.test, published.test_sum),
    )


def _checked(
    source: Path, published: Published, name: str, split: Split, counts: tuple[int, ...], expected: str
) -> Split:
    found = tuple(split.labels.bincount(minlength=len(published.classes)).tolist())
    sum_, order = checksum_and_order(split)
    if expected and sum_ != expected:
        raise UsageError(
            f"{source}: its {len(split):,} {name} images and labels are not {published.title}'s (sha256 {sum_}, not "
            f"{expected}): some are missing, doubled, changed or in the wrong class; take a fresh copy, or "
            "dataset=folder for images of your own"
        )
    wanted = counts * len(published.classes) if len(counts) == 1 else counts
    if not expected and found != wanted:
        raise UsageError(
            f"{source}: its {len(split):,} {name} images are not {published.title}'s {sum(wanted):,}, or not in the "
            "right classes; take a fresh copy, or dataset=folder for images of your own"
        )
    return split[order]


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
