"""What an autoencoder makes of images, beside the images themselves."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call

from normscope.precision import float32_products
from normscope.surveys.finished import FinishedRun
from normscope.surveys.survey import Conclusion, Point, Survey
from normscope.training.step import as_inputs

COLUMNS = ("image", "squared_error", "squared_deviation")


def reconstructions(run: FinishedRun, *, images: int, shown: int, seed: int) -> Survey:
    """The squared error of each of some test images, and a picture of the first ones above their reconstructions.

    Hinton & Salakhutdinov 2006, Science 313, 504, figure 2. Errors are those of the images as the network sees them,
    ‖f(x) − x‖². Beside each stands ‖x − m‖², m the mean of these images, so that
        1 − Σ ‖f(x) − x‖² / Σ ‖x − m‖²
    is the share of their variance that the code keeps; the best linear code of k numbers keeps that of the first k
    principal components.

    Args:
        run: of task=reconstruction.
        images: at most so many test images.
        shown: how many of them are drawn, 1 to 16.
        seed: of the choice.
    Raises:
        ValueError: if the run learnt another task, its inputs are no images, or a value is out of range.
    """
    task = run.run.choices.get("task")
    if task != "reconstruction":
        raise ValueError(f"run: its task is {task}, so that it gives back no images; name one of task=reconstruction")
    if run.test.images.dtype != torch.uint8:
        raise ValueError("run: its inputs are plain numbers, of which there is no picture; name one that saw images")
    if not 1 <= shown <= 16:
        raise ValueError(f"shown ({shown}) must lie within 1 and 16 images")
    if images < shown:
        raise ValueError(f"images ({images}) must be at least those that are shown ({shown})")
    drawn = torch.cat([some for some, _ in run.test_batches(images, seed)])
    seen = run.preprocess(as_inputs(drawn)).to(next(iter(run.weights.values())).dtype)
    mean = seen.mean(0, keepdim=True)

    def measure(point: Point) -> tuple[float, float]:
        image = seen[int(point[0])][None]
        error, deviation = given_back(run, image) - image, image - mean
        return error.square().sum().item(), deviation.square().sum().item()

    about = f"{len(seen)} test images, each of {seen[0].numel():,} numbers"
    points = [(float(number),) for number in range(len(seen))]
    return Survey(about, COLUMNS, points, measure, partial(conclude, run, seen[:shown]))


@torch.no_grad()
def given_back(run: FinishedRun, seen: Tensor) -> Tensor:
    """The reconstructions (N, C, H, W) of images as the network sees them, with its last weights, in evaluation."""
    run.network.eval()
    with float32_products("ieee"):
        inputs = seen.contiguous(memory_format=torch.channels_last)
        outputs: Tensor = functional_call(run.network, {**run.weights, **run.buffers}, (inputs,))
    return outputs.view(seen.shape)


def conclude(run: FinishedRun, seen: Tensor, table: np.ndarray) -> Conclusion:
    """The mean error, the share of the variance that is kept, and the picture of the images `seen` (N, C, H, W)."""
    from normscope.figures.reconstructions import reconstructions_figure

    _, errors, deviations = table.T
    share = float(1 - errors.sum() / deviations.sum())
    numbers = {"squared_error": float(errors.mean()), "variance_kept": share}
    sentence = f"squared error {errors.mean():.4g} an image, {100 * share:.1f} % of the variance kept"
    in_colour = as_images(run.preprocess, seen)
    originals, made = (
        in_colour(each).clamp(0, 1).permute(0, 2, 3, 1).float().cpu().numpy() for each in (seen, given_back(run, seen))
    )
    title = f"{100 * share:.0f} % of the variance of {len(table)} test images is kept"
    return Conclusion(sentence, numbers, reconstructions_figure(originals, made, errors[: len(seen)], run.run, title))


def as_images(preprocess: Callable[[Tensor], Tensor], seen: Tensor) -> Callable[[Tensor], Tensor]:
    """A function from what the network sees to images in [0, 1].

    Where the preprocessing shifts and scales each number by itself it is undone; where it mixes them (whitening), the
    darkest and brightest numbers of the images `seen` become 0 and 1.
    """
    shift = preprocess(torch.zeros_like(seen[:1], dtype=torch.float32))
    scale = preprocess(torch.ones_like(seen[:1], dtype=torch.float32)) - shift
    undone = (seen - shift) / scale
    if (
        torch.allclose(preprocess(undone.float()), seen.float(), atol=1e-4)
        and undone.min() > -1e-4
        and undone.max() < 1 + 1e-4
    ):
        return lambda images: (images - shift) / scale
    low, high = seen.min(), seen.max()
    return lambda images: (images - low) / (high - low)
