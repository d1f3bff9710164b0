"""The mean answer over dropout's masks, against the one pass of the weight-scaling rule."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from normscope.regularizers.drop_connect import DropConnect
from normscope.surveys.answers import SCORES, log_probabilities, numbered, refuse_other_answers, score, scores
from normscope.surveys.finished import FinishedRun, count, generator
from normscope.surveys.gains import gain
from normscope.surveys.survey import Conclusion, Point, Survey
from normscope.training.evaluation import Score


def monte_carlo_dropout(run: FinishedRun, *, masks: int, split: str, images: int, seed: int) -> Survey:
    """Loss and accuracy of the mean softmax over the first n random masks, and of the network with scaled weights.

    Srivastava et al. 2014, JMLR 15, section 7.5, and Gal & Ghahramani 2016, arXiv:1506.02142, equation 6:
        p(k | x) = (1/T) Σ_t softmax(f(x, z_t))_k,   against   softmax(f(x, E z))_k
    The weight-scaling rule on the right is the usual evaluation: one pass, every unit kept and multiplied by the
    probability 1 − p with which it is kept in training (here the training divides by it instead). It is exact for the
    logits of a linear network, and for the normalised geometric mean of its softmax; the mean of probabilities is
    another. Norms keep to their running statistics in both.

    Deviation: in Gal & Ghahramani's derivation dropout stands before every weight layer; here it stands where the run
    was trained with it. DropConnect draws one mask for a batch, of 500 images, as it does in training.

    Args:
        run: trained with dropout, alpha_dropout or drop_connect.
        masks: T, at least 1; each is drawn from a seed of its own, anew for every image.
        split: test; or validation, where the score is to decide something.
        images: at most so many of the split.
        seed: of the masks and of the choice of images.
    Raises:
        ValueError: if nothing in the network is dropped, or a value is out of range; the message holds it.
    """
    refuse_other_answers([run])
    if masks < 1:
        raise ValueError(f"masks ({masks}) must be at least 1")
    network = run.scored().eval()
    if not dropping(network):
        raise ValueError(
            f"run: nothing is dropped in {run.run.folder}, so that all masks are alike; train one with "
            "regularizer=[dropout], alpha_dropout or drop_connect"
        )
    batches = run.held_out_batches(split, images, seed)

    def answer(number: int) -> Tensor:
        with masked(network, generator(seed, f"masks/{number}").initial_seed()):
            return log_probabilities(network, run.preprocess, batches)

    of_masks = scores(answer, run.loss, batches)

    def measure(point: Point) -> tuple[float, ...]:
        if point[0]:
            return of_masks(point)
        return score(run.loss, log_probabilities(network, run.preprocess, batches), batches) * 2

    seen = f"{count(batches):,} {split} images"
    columns = ("masks", *SCORES)  # 0: weight scaling
    conclusion = partial(conclude, run, seen)
    about = f"weight scaling and {masks} masks, {seen}"
    return Survey(about, columns, [(0.0,), *numbered(masks)], measure, conclusion)


def dropping(network: nn.Module) -> list[nn.Module]:
    """The modules that drop something: dropout of any kind, DropConnect; those with p = 0 are left out."""
    return [module for module in network.modules() if isinstance(module, _DropoutNd | DropConnect) and module.p > 0]


@contextmanager
def masked(network: nn.Module, seed: int) -> Iterator[None]:
    """Let a network in evaluation mode drop as in training, by masks of this seed; afterwards nothing has changed."""
    device = next(network.parameters()).device
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        for module in dropping(network):
            module.train()
        try:
            yield
        finally:
            network.eval()


def conclude(run: FinishedRun, images: str, table: np.ndarray) -> Conclusion:
    """What the mean over all masks gains over the weight-scaling rule."""
    scaled = Score(*(float(value) for value in table[0, 1:3]))
    caption = f"{run.run.folder.name}, {images}"
    return gain(table[1:], scaled, "weight scaling", "masks", caption, run.run)
