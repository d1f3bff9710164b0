"""What networks answer to images, and the mean of several answers."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from normscope.losses import Loss
from normscope.precision import float32_products
from normscope.surveys.finished import Batches, FinishedRun
from normscope.surveys.survey import Point
from normscope.tasks import as_they_are
from normscope.training.evaluation import Score, score_of, sums
from normscope.training.step import as_inputs

SCORES = ("loss_alone", "accuracy_alone", "loss", "accuracy")  # of one answer, and of the mean of all up to it


def unchanged(images: Tensor) -> Tensor:
    """The images as they are."""
    return images


@torch.no_grad()
def log_probabilities(
    network: nn.Module,
    preprocess: Callable[[Tensor], Tensor],
    batches: Batches,
    view: Callable[[Tensor], Tensor] = unchanged,
) -> Tensor:
    """log p(k | x) = log softmax(f(x))_k of all images of the batches, (N, K) in float64.

    Args:
        network: in the mode that it is to answer in.
        preprocess: float images in [0, 1] -> what the network sees.
        view: changes the images (n, C, H, W) in [0, 1] before that.
    """
    dtype = next(network.parameters()).dtype
    found = []
    with float32_products("ieee"):
        for images, _ in batches:
            inputs = preprocess(view(as_inputs(images))).to(dtype, memory_format=torch.channels_last)
            found.append(network(inputs).double().log_softmax(1))
    return torch.cat(found)


class MeanAnswer:
    """The mean of the first n of a row of answers, p̄(k | x) = (1/n) Σ_m p_m(k | x), for n = 1, 2, ...

    Each is asked for once as n grows, and only their sum is kept: in logarithms, so that no small probability is lost.

    Args:
        answer: number 1, 2, ... -> log probabilities (N, K).
    """

    def __init__(self, answer: Callable[[int], Tensor]) -> None:
        self.answer = answer
        self.count = 0
        self.last = self.total = torch.empty(0)

    def of_first(self, count: int) -> tuple[Tensor, Tensor]:
        """log p_n and log p̄ of the first n, (N, K) each."""
        if count < self.count:
            self.count = 0
        while self.count < count:
            self.count += 1
            self.last = self.answer(self.count)
            self.total = self.last if self.count == 1 else torch.logaddexp(self.total, self.last)
        return self.last, self.total - math.log(count)


def scores(answer: Callable[[int], Tensor], loss: Loss, batches: Batches) -> Callable[[Point], tuple[float, ...]]:
    """What a job measures at point (n,): loss and accuracy of answer n alone, and of the mean of the first n.

    The loss of a mean is that of its logarithm, −log p̄(y | x): by Jensen's inequality never above the mean of the
    losses.
    """
    mean = MeanAnswer(answer)

    def measure(point: Point) -> tuple[float, ...]:
        alone, together = mean.of_first(int(point[0]))
        return *score(loss, alone, batches), *score(loss, together, batches)

    return measure


def score(loss: Loss, answers: Tensor, batches: Batches) -> Score:
    """Loss and accuracy of log probabilities (N, K) as answers to the images of the batches."""
    labels = torch.cat([labels for _, labels in batches])
    return score_of(loss, sums(loss, answers, labels), len(labels))


def numbered(count: int) -> list[Point]:
    """The points (1,), (2,), ..., (count,)."""
    return [(float(number),) for number in range(1, count + 1)]


def refuse_other_answers(runs: Sequence[FinishedRun]) -> None:
    """Refuse runs whose networks do not answer with probabilities of the images' classes.

    Raises:
        ValueError: that names the run.
    """
    for run in runs:
        if not run.loss.of_probabilities or run.test.labels.is_floating_point():
            raise ValueError(
                f"{run.run.folder}: its loss compares numbers, and what is averaged here are probabilities of classes; "
                "name a run of loss=cross_entropy"
            )
        if run.task.examples is not as_they_are:
            raise ValueError(
                f"{run.run.folder}: its task is {run.run.choices.get('task')}, and what is averaged here are answers "
                "about images as they are; name a run of task=labels"
            )
