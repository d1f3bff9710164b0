"""Whether the parts of a run fit one another, asked once they exist."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from normscope.errors import UsageError
from normscope.regularizers.part_trained import PartTrained
from normscope.regularizers.rules import Regularizers
from normscope.tasks import Task, as_they_are
from normscope.training.closure_step import needs_closure
from normscope.training.state import Observer
from normscope.training.thawing import Thawing


def check_batch_norm(network: nn.Module, batch_size: int) -> None:
    """Refuse to normalise over a batch of one, or over virtual batches that do not make up the batch."""
    for module in network.modules():
        needs_batch = getattr(module, "needs_batch", isinstance(module, nn.modules.batchnorm._BatchNorm))
        if batch_size == 1 and needs_batch:
            raise UsageError(
                f"batch_size=1: {type(module).__name__.rstrip('12d')} needs a batch to take its statistics over; use "
                "batch_size=2 or more, or a norm that looks at one image, model/norm=group or layer, or model/norm=none"
            )
        check = getattr(module, "check_batch", None)
        if check is not None:
            try:
                check(batch_size)
            except ValueError as error:
                raise UsageError(str(error)) from error


def check_full_batch(optimizer: torch.optim.Optimizer, batch_size: int, images: int) -> None:
    """Refuse mini-batches to an optimizer that asks for the full batch."""
    if getattr(optimizer, "full_batch", False) and batch_size < images:
        raise UsageError(
            f"optimizer: {type(optimizer).__name__} needs an objective that stays the same, and with batch_size="
            f"{batch_size} of {images} training images every step has another; use batch_size={images}, with fewer "
            "images if these are too many, or optimizer.mini_batches=true to try it anyway"
        )


def check_one_rate(optimizer: type[torch.optim.Optimizer], thawing: Thawing, lr_factor: float) -> None:
    """Refuse thawing and learning rates of their own to an optimizer that takes the curvature of one set of weights."""
    key = "thaw_every" if thawing.every is not None else "lr_factor" if lr_factor != 1 else ""
    if key and needs_closure(optimizer):
        raise UsageError(
            f"start.{key}: {optimizer.__name__} takes the curvature of one set of weights at one rate; leave "
            f"start.{key} out, or take another optimizer"
        )


def check_labels_count(task: Task, dataset: Mapping[str, Any]) -> None:
    """Refuse random labels where the targets are none of the dataset's."""
    if task.examples is not as_they_are and dataset.get("random_labels"):
        raise UsageError(
            f"dataset.random_labels={dataset['random_labels']}: this task looks at no labels; leave it out, or take "
            "task=labels"
        )


def check_observers(observers: Sequence[Observer], scores: Collection[str]) -> None:
    """Refuse a schedule that looks at a score which the run does not take."""
    for observer in observers:
        if observer.watch not in scores:
            raise UsageError(
                f"schedule: it watches {observer.watch}, and this run scores {', '.join(scores)}; hold images out by "
                "dataset.validation=1000 (and regression has no accuracy: schedule.watch=validation/loss)"
            )


def check_augmentation(rules: Mapping[str, Any], inputs: Tensor) -> None:
    """Refuse a regularizer that changes images where the inputs (N, C, H, W) are plain numbers.

    Args:
        rules: name -> place -> node, as in the config.
    """
    changing = [name for name, places in rules.items() if "data" in places]
    if changing and inputs.dtype != torch.uint8:
        raise UsageError(
            f"regularizer={changing[0]} changes images, and this dataset's inputs are plain numbers; leave it out, or "
            "take a dataset of images"
        )


def check_part_trained(rules: Regularizers, thawing: Thawing) -> None:
    """Refuse what would move weights that are held while a part of the network is trained."""
    if not any(isinstance(rule, PartTrained) for rule in rules.gradient):
        return
    beside = "decay" if rules.decay else "constraint" if rules.constraint else ""
    if beside:
        raise UsageError(
            f"regularizer: a part of the network is trained and the rest held, and a rule of the place '{beside}' "
            "changes all weights; leave it out (for weight decay take l2, which is part of the objective)"
        )
    if not isinstance(rules.gradient[-1], PartTrained):
        raise UsageError(
            "regularizer: another rule changes the gradient behind the one that holds a part of the network; put "
            "norms_only or random_weights_only last in the list"
        )
    if thawing.every is not None:
        raise UsageError(
            f"start.thaw_every={thawing.every}: which part of the network is trained is settled in the first step; "
            "leave start.thaw_every out, or norms_only and random_weights_only"
        )
