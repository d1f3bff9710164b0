"""Images with labels, in splits."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

SEED = 20150211  # of every choice of images: fixed, so that all runs hold out the same ones (arXiv:1502.03167's day)


@dataclass(frozen=True, eq=False)
class Split:
    """Images (N, C, H, W) uint8 and labels (N,) int64."""

    images: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.images.dtype != torch.uint8:
            raise ValueError(f"images {tuple(self.images.shape)} {self.images.dtype} must be (N, C, H, W) uint8")
        if self.labels.shape != self.images.shape[:1] or self.labels.dtype != torch.int64:
            raise ValueError(
                f"labels {tuple(self.labels.shape)} {self.labels.dtype} must be ({len(self.images)},) int64"
            )

    def __getitem__(self, index: Tensor) -> "Split":
        """The images of an index tensor (M,), in its order."""
        return Split(self.images[index], self.labels[index])

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Dataset:
    """What a run learns from and is judged by.

    Attributes:
        name: for people.
        classes: name of label 0, 1, ...
        train, test: the splits.
        validation: held out of the training images, or None.
    """

    name: str
    classes: tuple[str, ...]
    train: Split
    test: Split
    validation: Split | None = None


def hold_out(train: Split, count: int, seed: int = SEED) -> tuple[Split, Split]:
    """Part a split in two: (what is left for training, `count` images for validation).

    Every class gives the same number of images, as nearly as possible. Both parts keep the order of the images.

    Raises:
        ValueError: if `count` is not between 1 and N - 1, or if a class would have no image left to train on.
    """
    if not 0 < count < len(train):
        raise ValueError(f"validation ({count}) must lie within 1 and {len(train) - 1}, one below the training images")
    chosen = torch.zeros(len(train), dtype=torch.bool)
    chosen[_first_of_each_class(train.labels, count, seed)] = True
    lost = sorted(set(train.labels.tolist()) - set(train.labels[~chosen].tolist()))
    if lost:
        raise ValueError(f"validation ({count}) leaves no image of class {lost[0]} to train on; hold out fewer")
    return train[~chosen], train[chosen]


def subset(split: Split, count: int, seed: int = SEED) -> Split:
    """`count` images of a split, the same number of every class as nearly as possible, in their old order.

    A smaller subset is part of a larger one of the same seed.

    Raises:
        ValueError: if `count` is not between 1 and N.
    """
    if not 0 < count <= len(split):
        raise ValueError(f"train_size or test_size ({count}) must lie within 1 and {len(split)}, the images there are")
    return split[_first_of_each_class(split.labels, count, seed).sort().values]


def in_splits(
    name: str,
    classes: tuple[str, ...],
    train: Split,
    test: Split,
    *,
    validation: int,
    train_size: int | None,
    test_size: int | None,
) -> Dataset:
    """A dataset of the asked sizes.

    The validation images are held out first, so that they are the same whatever `train_size` is.

    Args:
        validation: images held out of the training split; 0: none.
        train_size, test_size: images kept of what is left; None: all.
    Raises:
        ValueError: if a count is out of range.
    """
    held_out = None
    if validation:
        train, held_out = hold_out(train, validation)
    train = train if train_size is None else subset(train, train_size)
    test = test if test_size is None else subset(test, test_size)
    return Dataset(name, classes, train, test, held_out)


def _first_of_each_class(labels: Tensor, count: int, seed: int) -> Tensor:
    """Indices of `count` images: first one of each class, then a second one, and so on, in a random order.

    NumPy's legacy generator draws it: its stream is frozen for good (NEP 19), so the same images are chosen by every
    version.
    """
    order = torch.from_numpy(np.random.RandomState(seed).permutation(len(labels)))
    shuffled = labels[order]
    rank = torch.empty_like(shuffled)  # how many of its class came before
    for label in shuffled.unique():
        members = shuffled == label
        rank[members] = torch.arange(int(members.sum()))
    return order[rank.argsort(stable=True)[:count]]
