"""What is to be learnt from images: their labels, or what needs none."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from normscope.data.dataset import Dataset

QUARTER_TURNS = 4
Examples = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def as_they_are(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """The images and targets of a batch, unchanged."""
    return inputs, targets


@dataclass(frozen=True)
class Task:
    """What a network is to say of which images.

    Attributes:
        outputs: how many numbers it says of an image.
        has_classes: whether an answer is right or wrong; else the targets are numbers, and there is no accuracy.
        examples: (inputs (N, C, H, W), targets (N, K) or labels (N,)) -> (inputs (M, C, H, W), targets (M, outputs), or
            labels (M,) where labels came). It acts where the network would see the inputs, augmented and preprocessed,
            in training as in scoring, and draws nothing.
    """

    outputs: int
    has_classes: bool
    examples: Examples = as_they_are


def labels(dataset: Dataset) -> Task:
    """The dataset's own targets: labels of its classes, or the numbers of a regression."""
    return Task(len(dataset.classes), has_classes=not dataset.train.labels.is_floating_point())


def rotation(dataset: Dataset) -> Task:
    """By how many quarter turns an image was turned: four classes, whose labels come for free.

    Gidaris et al. 2018, arXiv:1803.07728, section 3 ("RotNet"). As there (section 3.1) each batch of N images becomes
    one of 4 N, all four turns of every image; so does each split that is scored. Images are turned after they were
    augmented: a mirror image of a turned one would be a wrong example.

    Raises:
        ValueError: if the dataset holds plain numbers.
    """
    if dataset.train.images.dtype != torch.uint8:
        raise ValueError("rotation turns images, and this dataset's inputs are plain numbers; take a dataset of images")
    return Task(QUARTER_TURNS, has_classes=True, examples=all_turns)


def all_turns(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """All images as they are, then all by a quarter turn counter-clockwise, by two, by three.

    Args:
        inputs: (N, C, H, H).
        targets: of the images, which do not count here; labels (N,) or probabilities (N, K).
    Returns:
        (4 N, C, H, H), and the numbers of quarter turns, labels (4 N,) or probabilities (4 N, 4) as the targets were.
    """
    turned = torch.cat([inputs.rot90(turns, (2, 3)) for turns in range(QUARTER_TURNS)])
    turns = torch.arange(QUARTER_TURNS, device=inputs.device)
    labels = turns.repeat_interleave(len(inputs))
    return turned, labels if targets.ndim == 1 else (labels[:, None] == turns).to(targets.dtype)


def reconstruction(dataset: Dataset) -> Task:
    """Every number of an image as the network sees it, through whatever the network makes of it: an autoencoder.

    Hinton & Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks", Science 313, 504; with
    loss=squared_error it is ‖f(x) − x‖². That is a sum over the D numbers of an image, so that SGD needs a D-th of the
    learning rate that a mean would take; Adam does not mind. The image counts as it was augmented and preprocessed.
    """
    return Task(dataset.train.images[0].numel(), has_classes=False, examples=the_images_themselves)


def the_images_themselves(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """The images (N, C, H, W), and their numbers (N, D) in the order of channels, rows, columns as targets."""
    return inputs, inputs.flatten(1)
