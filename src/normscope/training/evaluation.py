"""Loss and accuracy on images that are not trained on."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from normscope.precision import autocast


class Score(NamedTuple):
    """Mean cross-entropy in nats and share of correct answers, as numbers on the host."""

    loss: float
    accuracy: float


@torch.no_grad()
def evaluate(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    preprocess: Callable[[Tensor], Tensor],
    *,
    precision: str,
    batch_size: int = 500,
) -> Score:
    """Score a network in evaluation mode (BatchNorm by its running statistics, no dropout) on a whole split.

    Args:
        network: its mode is put back afterwards.
        images, labels: (N, C, H, W) uint8 and (N,), on the network's device.
        preprocess: float images in [0, 1] -> what the network sees.
        precision: as in training.
        batch_size: how many images at once; without influence on the result but for rounding.
    """
    was_training = network.training
    network.eval()
    total = torch.zeros(2, dtype=torch.float64, device=images.device)  # sum of losses, number of correct answers
    for some, wanted in zip(images.split(batch_size), labels.split(batch_size), strict=True):
        inputs = preprocess(some.float() / 255).contiguous(memory_format=torch.channels_last)
        with autocast(images.device, precision):
            logits = network(inputs)
        total[0] += F.cross_entropy(logits.float(), wanted, reduction="sum")
        total[1] += (logits.argmax(1) == wanted).sum()
    network.train(was_training)
    loss, accuracy = (total / len(labels)).tolist()
    return Score(loss, accuracy)
