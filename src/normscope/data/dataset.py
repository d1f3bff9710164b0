"""Images with labels, in splits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

SEED = 20150211  # of every choice of images: fixed, so that all runs hold out the same ones (arXiv:1502.03167's day)


@dataclass(frozen=True, eq=False)
class Split:
    """Images (N, C, H, W) uint8 and labels (N,) int64; in regression inputs (N, C, H, W) float32, which the network
    sees as they are, and targets (N, K) float32."""

    images: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        images, labels, count = self.images, self.labels, len(self.images)
        if images.ndim != 4 or images.dtype not in (torch.uint8, torch.float32):
            raise ValueError(f"images {tuple(images.shape)} {images.dtype} must be (N, C, H, W) uint8 or float32")
        if not (
            (labels.dtype == torch.int64 and labels.shape == (count,))
            or (labels.dtype == torch.float32 and labels.ndim == 2 and len(labels) == count)
        ):
            raise ValueError(
                f"labels {tuple(labels.shape)} {labels.dtype} must be ({count},) int64 or ({count}, K) float32"
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
        classes: name of label 0, 1, ..., or of the numbers of a target.
        train, test: the splits.
        validation: held out of the training images, or None.
    """

    name: str
    classes: tuple[str, ...]
    train: Split
    test: Split
    validation: Split | None = None


def hold_out(train: Split, count: int, fold: int = 0, seed: int = SEED) -> tuple[Split, Split]:
    """Part a split in two: (what is left for training, `count` images for validation).

    Every class gives the same number of images, as nearly as possible. Both parts keep the order of the images.
    Different folds hold out different images: with `count` a k-th of them, the folds 0 .. k - 1 hold out each one once.
    Where classes differ in size, the last folds hold what is left, which is more of the frequent classes and nothing of
    those that are used up: the last of five folds of SVHN has five of its ten classes. A score over such folds is none
    of a stratified cross-validation; CIFAR's classes are equal, and its folds too.

    Raises:
        ValueError: if `count` is not between 1 and N - 1, if there are not so many folds, or if a class would have no
            image left to train on.
    """
    if not 0 < count < len(train):
        raise ValueError(f"validation ({count}) must lie within 1 and {len(train) - 1}, one below the training images")
    folds = len(train) // count
    if not 0 <= fold < folds:
        raise ValueError(
            f"fold ({fold}) must lie within 0 and {folds - 1}: {len(train)} training images hold {folds} times the "
            f"{count} of validation; hold out fewer"
        )
    chosen = torch.zeros(len(train), dtype=torch.bool)
    chosen[_in_turns(train.labels, seed)[fold * count : (fold + 1) * count]] = True
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
        keys = "train_size, test_size or evaluate_training"
        raise ValueError(f"{keys} ({count}) must lie within 1 and {len(split)}, the images there are")
    return split[_in_turns(split.labels, seed)[:count].sort().values]


def labels_of(names: tuple[str, ...], wanted: Sequence[int | str]) -> list[int]:
    """The labels that a list of labels and names of classes stands for, in its order.

    Raises:
        ValueError: if it is no list of at least two different classes that there are.
    """
    if isinstance(wanted, str | int) or len(wanted) < 2:
        raise ValueError(f"classes ({wanted}) must be a list of at least two, e.g. dataset.classes=[0,1]")
    found = []
    for one in wanted:
        label = names.index(one) if one in names else int(one) if str(one).isdecimal() else -1
        if not 0 <= label < len(names):
            shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
            raise ValueError(f"classes: there is no class {one}; give labels of 0 to {len(names) - 1}, or of {shown}")
        if label in found:
            raise ValueError(f"classes: {names[label]} comes twice; name each class once")
        found.append(label)
    return found


def of_classes(split: Split, labels: Sequence[int]) -> Split:
    """The images of some classes in their old order; the first of the labels becomes 0, the second 1, ..."""
    known = int(max(*labels, int(split.labels.max()))) + 1
    renumbered = torch.full((known,), -1)
    renumbered[torch.tensor(labels)] = torch.arange(len(labels))
    found = renumbered[split.labels]
    return Split(split.images[found >= 0], found[found >= 0])


def with_random_labels(split: Split, share: float, classes: int, seed: int = SEED) -> Split:
    """Each label is replaced with probability `share` by one drawn uniformly among all K classes.

    Zhang et al. 2017, arXiv:1611.03530, section 2 (partially corrupted labels; at 1 all are random). Of K classes one
    in K replaced labels is the right one again. What is replaced at a smaller share is replaced at a larger one too, by
    the same label.

    Raises:
        ValueError: if the share is not within 0 and 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"random_labels ({share}) must lie within 0 and 1, the share of training labels replaced")
    random = np.random.RandomState(seed)  # frozen for good; see `_in_turns`
    drawn, others = random.random_sample(len(split)), random.randint(classes, size=len(split))
    labels = torch.where(torch.from_numpy(drawn < share), torch.from_numpy(others).long(), split.labels)
    return Split(split.images, labels)


def in_splits(
    name: str,
    names: tuple[str, ...],
    train: Split,
    test: Split,
    *,
    validation: int = 0,
    fold: int = 0,
    train_size: int | None = None,
    test_size: int | None = None,
    classes: Sequence[int | str] | None = None,
    random_labels: float = 0.0,
) -> Dataset:
    """A dataset of the asked classes and sizes.

    The validation images are held out first, so that they are the same whatever `train_size` is. Only what is trained
    on gets random labels.

    Args:
        name, names: of the dataset and of its classes.
        validation: images held out of the training split; 0: none.
        fold: which of the ⌊N / validation⌋ disjoint parts is held out.
        train_size, test_size: images kept of what is left; None: all.
        classes: labels or names; only their images are kept, with labels 0, 1, ... in this order; None: all.
        random_labels: the share of training labels that are replaced at random; see `with_random_labels`.
    Raises:
        ValueError: if a count is out of range, a class is not there, or the share is none.
    """
    if classes is not None:
        labels = labels_of(names, classes)
        names = tuple(names[label] for label in labels)
        train, test = of_classes(train, labels), of_classes(test, labels)
    held_out = None
    if validation:
        train, held_out = hold_out(train, validation, fold)
    elif fold:
        raise ValueError(f"fold ({fold}): no images are held out; give their number too, validation=1000")
    train = train if train_size is None else subset(train, train_size)
    test = test if test_size is None else subset(test, test_size)
    train = with_random_labels(train, random_labels, len(names)) if random_labels else train
    return Dataset(name, names, train, test, held_out)


def _in_turns(labels: Tensor, seed: int) -> Tensor:
    """Indices of all images: first one of each class, then a second one, and so on, in a random order.

    NumPy's legacy generator draws it: its stream is frozen for good (NEP 19), so the same images are chosen by every
    version.
    """
    order = torch.from_numpy(np.random.RandomState(seed).permutation(len(labels)))
    shuffled = labels[order]
    rank = torch.empty_like(shuffled)  # how many of its class came before
    for label in shuffled.unique():
        members = shuffled == label
        rank[members] = torch.arange(int(members.sum()))
    return order[rank.argsort(stable=True)]
