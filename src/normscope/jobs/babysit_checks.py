"""The short trainings that babysitting is made of."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import torch
from torch import Tensor

from normscope.measurement import Measurement, Probe
from normscope.probes.weights import weights
from normscope.record import StepRecord
from normscope.regularizers.rules import Weights
from normscope.surveys.finished import AT_ONCE
from normscope.surveys.trials import Beginning, Learnt, Series, few_of, thinned
from normscope.training.recording import Images
from normscope.training.step import as_inputs, as_targets
from normscope.when import every

LEARNT = 0.01  # nats
RATIO_EVERY = 5  # updates
FIRST_BATCHES = 10  # whose loss before the first update is averaged
GUESSED = 5000  # training images, at most
NONE = math.nan

Term = Callable[[Tensor, Tensor, Weights], Tensor]  # (logits, targets, weights) -> what is added to the loss


@dataclass(frozen=True)
class Checks:
    """One method for each check; each returns a row of the table, see `babysit_findings.MEASURED`.

    Attributes:
        whole, plain: the run with its regularizers, and without.
        images: the tiny subset.
        size, steps: of the training at each learning rate; subset_steps: of the tiny subset's, at most.
    """

    whole: Beginning
    plain: Beginning
    images: Images
    size: int
    steps: int
    subset_steps: int

    def initial_loss(self, at: float) -> list[float]:
        """The loss before the first update, and that of guessing."""
        found = self._trial(self.plain, steps=FIRST_BATCHES, lr=at)["train/loss"]
        return self._row(sum(found) / len(found), self.guess)

    def penalty(self, times: float) -> list[float]:
        """By how much the step's objective is above its loss, and the loss terms themselves, in float64; the loss."""
        terms = self.whole.trainee.regularizers.loss
        turned_up = tuple(partial(_times, times, term) for term in terms)
        probe = Probe("penalty", every(1), partial(_penalty, terms))
        found = self._trial(
            self.whole, steps=1, lr=0.0, probes=[probe], precision="fp32",
            regularizers=replace(self.whole.trainee.regularizers, loss=turned_up),
        )  # fmt: skip
        losses = found["train/loss"]
        return self._row(found["train/objective"][0] - losses[0], times * found["penalty"][0], losses=losses)

    def tiny_subset(self, lr: float) -> list[float]:
        """The loss that it ends with and the bound, the share of right answers, the updates that it took."""
        found = self.plain.trial(
            self.images,
            batch_size=len(self.images.labels),
            steps=self.subset_steps,
            lr=lr,
            until=Learnt(self.learnt_below),
        )
        losses = found["train/loss"]
        accuracy = found.get("train/accuracy", [NONE])[-1]
        return self._row(losses[-1], self.learnt_below, accuracy=accuracy, losses=losses)

    def learning_rate(self, lr: float) -> list[float]:
        """The loss of each of the first updates, and how large these are beside the weights."""
        probe = Probe("weights", every(RATIO_EVERY), partial(weights, bins=2))
        found = self._trial(self.whole, steps=self.steps, lr=lr, probes=[probe] if lr else [])
        ratios = [float(np.median(each)) for name, each in found.items() if name.startswith("update_ratio/")]
        losses = found["train/loss"]
        return self._row(losses[-1], self.guess, ratios=ratios, losses=losses)

    @property
    def nat(self) -> float:
        """1 nat as a share of the loss of guessing, ln K; 1 where the loss is no cross-entropy."""
        trainee = self.plain.trainee
        return 1 / math.log(trainee.task.outputs) if trainee.loss.of_probabilities else 1.0

    @property
    def learnt_below(self) -> float:
        """The loss of the tiny subset below which it is learnt."""
        return LEARNT * self.nat * self._guess(self.images, len(self.images.labels))

    @cached_property
    def guess(self) -> float:
        """The loss of guessing of a batch, the mean over the training images or over a few thousand of them."""
        training = self.plain.job.training
        return self._guess(few_of(training, min(GUESSED, len(training.labels))), self.size)

    def _guess(self, images: Images, size: int) -> float:
        """The loss of outputs that are all zero, of a batch of so many images as it is on average."""
        trainee, count, total = self.plain.trainee, len(images.labels), 0.0
        for index in torch.arange(count).split(AT_ONCE):
            batch, labels = images.batch(index)
            seen = trainee.preprocess(as_inputs(batch))
            _, targets = trainee.task.examples(seen, as_targets(labels, trainee.classes))
            guess = trainee.loss.of_guessing(targets)
            total += guess * len(index) if trainee.loss.reduction == "mean" else guess * size
        return total / count

    def _trial(self, beginning: Beginning, **rest: object) -> Series:
        training = beginning.job.training
        return beginning.trial(training, batch_size=self.size, seed=beginning.job.config["seed"], **rest)  # type: ignore[arg-type]

    def _row(
        self,
        found: float,
        expected: float,
        *,
        accuracy: float = NONE,
        ratios: Sequence[float] = (),
        losses: Sequence[float] = (),
    ) -> list[float]:
        spread = [float(summary(ratios)) for summary in (np.median, np.min, np.max)] if ratios else [NONE] * 3
        return [found, expected, accuracy, len(losses), *spread, *thinned(losses, self.steps)]


def _times(factor: float, term: Term, logits: Tensor, targets: Tensor, held: Weights) -> Tensor:
    return factor * term(logits, targets, held)


def _penalty(terms: Sequence[Term], record: StepRecord) -> Measurement:
    """The sum of loss terms at the record's weights, in float64."""

    def total(logits: Tensor, targets: Tensor, held: Weights) -> Tensor:
        exact = {name: weight.double() for name, weight in held.items()}
        return torch.stack([term(logits.double(), targets.double(), exact).double() for term in terms]).sum()

    return Measurement({"penalty": replace(record, objective=total, own=None).loss_at(record.weights)})
