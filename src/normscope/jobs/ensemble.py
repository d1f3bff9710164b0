"""The mean answer of several runs."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from torch import Tensor

from normscope.surveys.answers import SCORES, log_probabilities, numbered, refuse_other_answers, scores
from normscope.surveys.finished import Batches, FinishedRun, count
from normscope.surveys.gains import gain
from normscope.surveys.sources import refuse_difference
from normscope.surveys.survey import Conclusion, Survey
from normscope.training.evaluation import Score


def ensemble(runs: Sequence[FinishedRun], *, split: str, images: int, seed: int) -> Survey:
    """Loss and accuracy of each run's network, and of the mean answer of the first n of them.

    Lakshminarayanan et al. 2017, arXiv:1612.01474, section 2.4 (networks that differ in their initial weights and the
    order of the data, weighted alike):
        p(k | x) = (1/M) Σ_m softmax(f_m(x))_k
    All runs that are named count, in the order in which they are named: none is chosen by its score. The gain is told
    over the mean of the networks' own scores.

    Args:
        runs: of one data set, classes and loss; their models may differ. One that was scored with an average of its
            weights, or with snapshots, takes part with that.
        split: test; or validation, where the score is to decide something.
        images: at most so many of the split, the same for all.
        seed: of the choice of images.
    Raises:
        ValueError: if the runs do not fit together, or a value is out of range; the message holds it.
    """
    refuse_other_answers(runs)
    refuse_difference([run.run for run in runs], "loss")
    batches = runs[0].held_out_batches(split, images, seed)
    networks = [run.scored().eval() for run in runs]

    def answer(number: int, batches: Batches = batches) -> Tensor:
        return log_probabilities(networks[number - 1], runs[number - 1].preprocess, batches)

    one_image = [(batches[0][0][:1], batches[0][1][:1])]
    classes = [answer(number, one_image).shape[1] for number in range(1, len(runs) + 1)]
    if len(set(classes)) > 1:
        raise ValueError(f"runs do not fit together: their networks know {classes} classes; name runs of the same ones")
    seen = f"{count(batches):,} {split} images"
    columns = ("networks", *SCORES)
    conclusion = partial(conclude, runs[0], seen)
    about = f"{len(runs)} networks, {seen}"
    return Survey(about, columns, numbered(len(runs)), scores(answer, runs[0].loss, batches), conclusion)


def conclude(first: FinishedRun, images: str, table: np.ndarray) -> Conclusion:
    """What all networks together gain over the mean of their own scores."""
    alone = Score(*(float(value) for value in table[:, 1:3].mean(0)))
    caption = f"{first.run.folder.name} first, {len(table)} in the order in which they were named; {images}"
    return gain(table, alone, "alone, on average", "networks", caption, first.run)
