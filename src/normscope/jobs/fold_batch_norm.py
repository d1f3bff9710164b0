"""The speed that a network gains when its norms are folded into its weights."""

import time
from collections.abc import Sequence
from copy import deepcopy
from functools import partial
from statistics import median

import numpy as np
import torch
from torch import Tensor, nn

from normscope.layers.folding import folded
from normscope.precision import float32_products
from normscope.surveys.finished import FinishedRun
from normscope.surveys.survey import Conclusion, Point, Survey
from normscope.training.step import as_inputs

COLUMNS = ("batch_size", "seconds", "folded_seconds", "difference")


def fold_batch_norm(run: FinishedRun, *, batch_sizes: Sequence[int], repeats: int) -> Survey:
    """Seconds an image at evaluation, of a network as it was trained and with its norms folded into its weights.

    Ioffe & Szegedy 2015, arXiv:1502.03167, section 3.1: with fixed statistics BatchNorm is a line, which the layer
    before takes in; see `layers.folding`. What it computes stays the same up to rounding, told as
        max |folded logits − logits| / max |logits|
    and so does what it costs, less the norms. Both networks take turns on the same images, and the median counts.

    Args:
        run: its network with its last weights and running averages, its test images.
        batch_sizes: numbers of images at once, each at least 1, no two alike.
        repeats: measured passes of each network at each size, at least 1; one more goes before.
    Raises:
        ValueError: if a value is out of range, or the run's norms cannot be folded; the message holds why.
    """
    if not batch_sizes or min(batch_sizes) < 1 or len(set(batch_sizes)) < len(batch_sizes):
        raise ValueError(f"batch_sizes ({batch_sizes}) must be different numbers of images, each at least 1")
    if repeats < 1:
        raise ValueError(f"repeats ({repeats}) must be at least 1")
    network = deepcopy(run.network)
    network.load_state_dict({**run.weights, **run.buffers})
    network.eval()
    twin = folded(network)

    def measure(point: Point) -> tuple[float, float, float]:
        count = int(point[0])
        images, _ = run.test_batches(count, seed=0)[0]
        images = images[torch.arange(count, device=images.device) % len(images)]  # over again where there are too few
        inputs = run.preprocess(as_inputs(images))
        inputs = inputs.to(next(network.parameters()).dtype).contiguous(memory_format=torch.channels_last)
        with torch.no_grad(), float32_products("ieee"):
            logits, folded_logits = network(inputs), twin(inputs)  # also warms both up
            turns = [(seconds(network, inputs), seconds(twin, inputs)) for _ in range(repeats)]
        plain, quick = (median(each) / len(inputs) for each in zip(*turns, strict=True))
        return plain, quick, ((folded_logits - logits).abs().max() / logits.abs().max()).item()

    about = f"{len(batch_sizes)} batch sizes, {repeats} passes of either network at each"
    return Survey(about, COLUMNS, [(float(size),) for size in batch_sizes], measure, partial(conclude, run))


def seconds(network: nn.Module, inputs: Tensor) -> float:
    """How long a forward pass takes, until the device is done."""
    began = time.perf_counter()
    network(inputs)
    if inputs.device.type == "cuda":
        torch.cuda.synchronize(inputs.device)
    return time.perf_counter() - began


def conclude(run: FinishedRun, table: np.ndarray) -> Conclusion:
    """How much faster, how different, and the picture."""
    from normscope.figures.folding import folding_figure

    sizes, plain, quick, difference = table.T
    gains = plain / quick
    numbers = {f"speed_gained/{size:.0f}": float(gain) for size, gain in zip(sizes, gains, strict=True)}
    numbers |= {f"images_per_second/{size:.0f}": float(1 / each) for size, each in zip(sizes, quick, strict=True)}
    numbers["largest_difference"] = float(difference.max())
    each = ", ".join(f"{gain:.2f}x at {size:.0f}" for size, gain in zip(sizes, gains, strict=True))
    sentence = f"folded {each} images at once; the logits differ by {difference.max():.1g} of the largest"
    least, most = f"{gains.min():.2f}", f"{gains.max():.2f}"
    title = f"Folded, the network evaluates {least if least == most else f'{least} to {most}'} times as fast"
    return Conclusion(sentence, numbers, folding_figure(sizes, plain, quick, run.run, title))
