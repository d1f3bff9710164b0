"""The loss around the weights that a run ended in, along random directions scaled filter by filter."""

import math
from functools import partial
from itertools import product

import numpy as np
import torch
from torch import Tensor

from normscope.surveys.finished import FinishedRun, count, generator
from normscope.surveys.survey import Conclusion, Point, Survey
from normscope.vectors import Vector, cosine, moved


def loss_surface(run: FinishedRun, *, dimensions: int, points: int, extent: float, images: int, seed: int) -> Survey:
    """The training loss on a line or a square around the final weights θ, in units of the filters' own lengths.

    Li et al. 2018, arXiv:1712.09913, section 4: d and e are random Gaussian directions, each filter of which is scaled
    to the length of that filter in θ,
        d_ij <- d_ij ‖θ_ij‖ / ‖d_ij‖,    f(x, y) = L(θ + x d + y e)
    so that the picture does not change when filters are rescaled in a way that the network does not notice, as those
    before a BatchNorm can be. Directions that are not scaled show the size of the weights more than the loss.

    Deviation: the authors' code evaluates with the running statistics of BatchNorm as training left them, which belong
    to θ alone; here every point is normalised by its batches, as in training, whose loss it is that is minimised.

    Args:
        run: its training images, its loss: see `FinishedRun`.
        dimensions: 1 or 2 directions.
        points: along each, odd, so that θ is one of them.
        extent: the largest x and y.
        images: at most so many training images, the same at every point.
        seed: of the directions and of the choice of images.
    Raises:
        ValueError: if a value is out of range; the message holds it.
    """
    if dimensions not in (1, 2):
        raise ValueError(f"dimensions ({dimensions}) must be 1, a line, or 2, a square")
    if points < 3 or points % 2 == 0:
        raise ValueError(f"points ({points}) must be odd and at least 3: the run's own weights are in the middle")
    if not 0 < extent < math.inf:
        raise ValueError(f"extent ({extent}) must be positive; 1 is as far as the filters are long")
    directions = [filter_normalised(gaussian(run.weights, seed, name), run.weights) for name in "xy"[:dimensions]]
    batches = run.training_batches(images, seed)

    def measure(point: Point) -> tuple[float, float]:
        weights: Vector = run.weights
        for direction, distance in zip(directions, point, strict=True):
            weights = moved(weights, direction, distance)
        return run.in_training_mode(weights, batches)[0]

    half = points // 2
    line = [extent * place / half for place in range(-half, half + 1)]
    grid = list(product(line, repeat=dimensions))
    about = f"{len(grid):,} points, the loss of {count(batches):,} training images at each"
    conclusion = partial(conclude, run, dimensions, float(cosine(directions[0], directions[-1])))
    return Survey(about, (*"xy"[:dimensions], "loss", "accuracy"), grid, measure, conclusion)


def gaussian(weights: Vector, seed: int, stream: str) -> dict[str, Tensor]:
    """A direction of independent standard normal entries, drawn on the CPU: the same on every machine."""
    source = generator(seed, stream)
    return {name: torch.randn(weight.shape, generator=source).to(weight) for name, weight in weights.items()}


def filter_normalised(direction: Vector, weights: Vector) -> dict[str, Tensor]:
    """d_ij <- d_ij ‖θ_ij‖ / ‖d_ij‖: every filter j of layer i as long as it is in the weights.

    A filter is what makes one output: a convolution's (C, k, k), a row of a matrix. Tensors of one axis (biases,
    BatchNorm's γ and β) have none, and the direction is 0 there, as with the authors' option `ignore=biasbn`.
    """
    return {name: _scaled(direction[name], weight) for name, weight in weights.items()}


def _scaled(direction: Tensor, weight: Tensor) -> Tensor:
    if weight.dim() < 2:
        return torch.zeros_like(weight)
    axes = tuple(range(1, weight.dim()))
    own, wanted = (torch.linalg.vector_norm(tensor, dim=axes, keepdim=True) for tensor in (direction, weight))
    return direction * (wanted / own)


def conclude(run: FinishedRun, dimensions: int, angle: float, table: np.ndarray) -> Conclusion:
    """The loss at the weights, its least and its most, and the picture."""
    from normscope.figures.surfaces import line_figure, square_figure, title_of

    losses = np.where(np.isnan(table[:, dimensions]), math.inf, table[:, dimensions])
    side = round(len(table) ** (1 / dimensions))
    centre = float(losses[len(table) // 2])
    least, most = float(losses.min()), float(losses.max())
    numbers = {"loss": centre, "loss/least": least, "loss/most": most}
    if dimensions == 2:
        numbers["directions/cosine"] = angle
    sentence = f"loss {centre:.4g} at the run's weights, {least:.4g} to {most:.4g} around them"
    title = title_of(run.run, "+" if dimensions == 2 else "●", centre, least, most)
    if dimensions == 1:
        return Conclusion(sentence, numbers, line_figure(table[:, 0], losses, run.run, title))
    steps = table[:side, 1]
    return Conclusion(sentence, numbers, square_figure(steps, losses.reshape(side, side), title))
