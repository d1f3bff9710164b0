"""The mean answer of the networks that one training with a cyclic learning rate came by."""

from functools import partial

import numpy as np
from torch import Tensor

from normscope.regularizers.snapshot_ensemble import Ensemble
from normscope.surveys.answers import SCORES, log_probabilities, numbered, refuse_other_answers, scores
from normscope.surveys.finished import FinishedRun, count
from normscope.surveys.gains import gain
from normscope.surveys.survey import Conclusion, Survey
from normscope.training.evaluation import Score


def snapshots(run: FinishedRun, *, split: str, images: int, seed: int) -> Survey:
    """Loss and accuracy of each snapshot of a run, and of the mean answer of the newest n of them.

    Huang et al. 2017, arXiv:1704.00109, section 3:
        p(k | x) = (1/n) Σ_m softmax(f_m(x))_k over the last n snapshots
    counted from the last one backwards, as there, because later ones are better. The gain is told over the last
    snapshot: the network that the run would have ended with.

    Args:
        run: trained with regularizer=snapshot_ensemble; its checkpoint holds the snapshots.
        split: test; or validation, where the score is to decide how many are kept.
        images: at most so many of the split.
        seed: of the choice of images.
    Raises:
        ValueError: if the run kept no snapshots, or a value is out of range; the message holds it.
    """
    refuse_other_answers([run])
    found = run.scored()
    if not isinstance(found, Ensemble):
        raise ValueError(
            f"run: {run.run.folder} kept no snapshots; train one with regularizer=[snapshot_ensemble] "
            "schedule=restarts schedule.growth=1"
        )
    members = [*found.eval().members][::-1]
    batches = run.held_out_batches(split, images, seed)

    def answer(number: int) -> Tensor:
        return log_probabilities(members[number - 1], run.preprocess, batches)

    seen = f"{count(batches):,} {split} images"
    columns = ("snapshots", *SCORES)
    conclusion = partial(conclude, run, seen)
    about = f"{len(members)} snapshots, {seen}"
    return Survey(about, columns, numbered(len(members)), scores(answer, run.loss, batches), conclusion)


def conclude(run: FinishedRun, images: str, table: np.ndarray) -> Conclusion:
    """What all snapshots together gain over the last one."""
    last = Score(*(float(value) for value in table[0, 1:3]))
    caption = f"{run.run.folder.name}, the newest snapshot first; {images}"
    return gain(table, last, "the last alone", "snapshots", caption, run.run)
