"""Loss and accuracy on images that are not trained on."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from normscope.losses import Loss
from normscope.precision import autocast
from normscope.tasks import Examples, as_they_are
from normscope.training.step import as_inputs


class Score(NamedTuple):
    """The loss and the share of correct answers (nan where the targets are numbers), as numbers on the host."""

    loss: float
    accuracy: float


@torch.no_grad()
def evaluate(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    preprocess: Callable[[Tensor], Tensor],
    *,
    loss: Loss,
    precision: str,
    examples: Examples = as_they_are,
    batch_size: int = 500,
) -> Score:
    """Score a network in evaluation mode (BatchNorm by its running statistics, no dropout) on a whole split.

    Args:
        network: the mode of each of its modules is put back afterwards.
        images, labels: (N, C, H, W) uint8 or float32 and (N,) int64 or (N, K) float32, on the network's device.
        preprocess: float images in [0, 1] -> what the network sees.
        loss: of the whole split; where it is a sum, over all its examples.
        precision: as in training.
        examples: of the task.
        batch_size: how many images at once; without influence on the result but for rounding.
    """
    training = [module for module in network.modules() if module.training]
    network.eval()
    total = torch.zeros(2, dtype=torch.float64, device=images.device)  # sum of losses, number of correct answers
    count = 0
    for some, their_labels in zip(images.split(batch_size), labels.split(batch_size), strict=True):
        inputs, wanted = examples(preprocess(as_inputs(some)), their_labels)
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        with autocast(images.device, precision):
            logits = network(inputs)
        total += sums(loss, logits.float(), wanted)
        count += len(wanted)
    for module in training:  # one by one: a frozen part of the network stays in evaluation mode
        module.training = True
    return score_of(loss, total, count)


def sums(loss: Loss, logits: Tensor, wanted: Tensor) -> Tensor:
    """The sum of losses and the number of correct answers (nan where targets are numbers) of a part, (2,)."""
    numbers = wanted.is_floating_point()
    correct = logits.new_tensor(math.nan) if numbers else (logits.argmax(1) == wanted).sum()
    return torch.stack((loss.total(logits, wanted).double(), correct.double()))


def score_of(loss: Loss, total: Tensor, count: int) -> Score:
    """The score of `count` examples from the sums over all parts of their split."""
    summed, correct = total.tolist()
    return Score(loss.of_total(summed, count), correct / count)
