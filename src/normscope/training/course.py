"""What the rules that follow a training are told of it before it begins."""

from collections.abc import Mapping
from functools import partial

import torch
from torch import nn

from normscope.errors import UsageError
from normscope.precision import autocast
from normscope.regularizers.rules import Course, TrainingRule
from normscope.training.loop import Plan
from normscope.training.recording import Images, score_names
from normscope.training.step import Trainee, as_inputs


def begin_rules(
    trainee: Trainee, training: Images, held_out: Mapping[str, Images], plan: Plan, *, batch_size: int
) -> None:
    """Tell each rule the course of the run.

    Raises:
        UsageError: if one does not fit the run, or if two of them replace the network that is scored.
    """
    rules = trainee.regularizers.followers
    replacing = [type(rule).__name__ for rule in rules if type(rule).network is not TrainingRule.network]
    if len(replacing) > 1:
        raise UsageError(f"regularizer: {' and '.join(replacing)} each replace the network that is scored; keep one")
    course = Course(
        steps=plan.steps,
        steps_per_epoch=len(training.labels) // batch_size,
        lr=plan.lr,
        scores=score_names(held_out, trainee.task),
        of_probabilities=trainee.loss.of_probabilities,
        reduction=trainee.loss.reduction,
        rules=rules,
        pass_through=partial(pass_through, trainee, training, batch_size),
    )
    for rule in rules:
        try:
            rule.begin(course)
        except ValueError as error:
            raise UsageError(str(error)) from error


@torch.no_grad()
def pass_through(trainee: Trainee, training: Images, batch_size: int, network: nn.Module) -> None:
    """Show a network all training images as an evaluation would, in batches of the run's size; what does not fill the
    last batch is left out, as in training.

    The order is a random one, always the same: class folders come class after class, and a batch of one class has other
    statistics than one of training.
    """
    count = len(training.labels)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0))
    for some in order[: count // batch_size * batch_size].split(batch_size):
        images, labels = training.batch(some)
        inputs, _ = trainee.task.examples(trainee.preprocess(as_inputs(images)), labels)
        with autocast(images.device, trainee.precision):
            network(inputs.contiguous(memory_format=torch.channels_last))
