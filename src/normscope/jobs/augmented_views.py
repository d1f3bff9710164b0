"""The mean answer of one network to several views of each image."""

from functools import partial
from itertools import product

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from normscope.surveys.answers import SCORES, log_probabilities, numbered, refuse_other_answers, scores
from normscope.surveys.finished import FinishedRun, count
from normscope.surveys.gains import gain
from normscope.surveys.survey import Conclusion, Survey
from normscope.training.evaluation import Score


def augmented_views(run: FinishedRun, *, shift: int, flip: bool, split: str, images: int, seed: int) -> Survey:
    """Loss and accuracy of a network's mean answer to the first n views of each image.

    Krizhevsky et al. 2012, "ImageNet classification with deep convolutional neural networks", section 4.1: the mean of
    the softmax over the centre, the four corners, and the mirror images of all five,
        p(k | x) = (1/V) Σ_v softmax(f(view_v(x)))_k
    The first view is the image itself, over which the gain is told; then comes its mirror image, and each corner with
    its own. A corner of the image padded with black by `shift` pixels is the image shifted by so many along both axes,
    as crop_flip does in training: y = E_z f(x, z) for the randomness z of training. A network that never saw such views
    may lose by them, and digits are other digits in a mirror.

    Args:
        run: a network that was trained on images.
        shift: pixels, at least 0: no corners.
        flip: whether mirror images are among the views.
        split: test; or validation, where the score is to decide how many views are used.
        images: at most so many of the split.
        seed: of the choice of images.
    Raises:
        ValueError: if there is no view but the image itself, or a value is out of range; the message holds it.
    """
    refuse_other_answers([run])
    _, _, height, width = run.test.images.shape
    if run.test.images.dtype != torch.uint8:
        raise ValueError(f"run: the inputs of {run.run.folder} are plain numbers, which have no other views")
    if not 0 <= shift < min(height, width):
        raise ValueError(f"shift ({shift}) must lie within 0 and {min(height, width) - 1} pixels")
    if not shift and not flip:
        raise ValueError("shift=0 flip=false: the only view is the image itself; give shift=4, or flip=true")
    shifts = [(0, 0), *product((-shift, shift), repeat=2)] if shift else [(0, 0)]
    views = [
        partial(viewed, down=down, right=right, flip=mirrored)
        for down, right in shifts
        for mirrored in (False, True)[: 1 + flip]
    ]
    batches = run.held_out_batches(split, images, seed)
    network = run.scored().eval()

    def answer(number: int) -> Tensor:
        return log_probabilities(network, run.preprocess, batches, views[number - 1])

    seen = f"{count(batches):,} {split} images"
    columns = ("views", *SCORES)
    conclusion = partial(conclude, run, seen)
    about = f"{len(views)} views of {seen}"
    return Survey(about, columns, numbered(len(views)), scores(answer, run.loss, batches), conclusion)


def viewed(images: Tensor, *, down: int, right: int, flip: bool) -> Tensor:
    """Images (N, C, H, W) shifted by so many pixels, what comes in black, and mirrored afterwards if asked."""
    moved = F.pad(images, (right, -right, down, -down))
    return moved.flip(3) if flip else moved


def conclude(run: FinishedRun, images: str, table: np.ndarray) -> Conclusion:
    """What all views together gain over the image alone."""
    plain = Score(*(float(value) for value in table[0, 1:3]))
    caption = f"{run.run.folder.name}, the image itself first; {images}"
    return gain(table, plain, "the image alone", "views", caption, run.run)
