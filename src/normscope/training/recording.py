"""What the loop writes down: numbers leave the device here, once an occasion."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from normscope.measurement import Measurement
from normscope.runs.writer import RunWriter
from normscope.training.evaluation import evaluate
from normscope.training.step import Trainee, Update


@dataclass(frozen=True)
class Images:
    """A split on the device: (N, C, H, W) uint8 and (N,) int64."""

    images: Tensor
    labels: Tensor

    def batch(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """The images and labels of an index (N,) on the host; a GPU is handed the index without waiting for it."""
        if self.images.is_cuda:
            index = index.pin_memory().to(self.images.device, non_blocking=True)
        return self.images[index], self.labels[index]


def write_measurement(writer: RunWriter, step: int, found: Measurement) -> None:
    """Bring a probe's results to the host, all scalars at once, and write them."""
    if found.scalars:
        numbers = torch.stack([torch.as_tensor(value, dtype=torch.float64) for value in found.scalars.values()])
        writer.scalars(step, dict(zip(found.scalars, numbers.tolist(), strict=True)))
    for name, histogram in found.histograms.items():
        edges, counts = histogram.edges.cpu().numpy(), histogram.counts.cpu().numpy()
        writer.histogram(
            step,
            name,
            edges=edges,
            counts=counts,
            total=float(histogram.total),
            total_squares=float(histogram.total_squares),
        )


def write_update(writer: RunWriter, step: int, update: Update, lr: float) -> dict[str, float]:
    """Bring an update's numbers to the host in one transfer, write and return them."""
    loss, objective, accuracy = torch.stack([update.loss, update.objective, update.accuracy]).tolist()
    numbers = {"train/loss": loss, "train/objective": objective, "train/accuracy": accuracy, "train/lr": lr}
    writer.scalars(step, numbers)
    return numbers


def score(
    trainee: Trainee, held_out: Mapping[str, Images], writer: RunWriter, step: int, metrics: dict[str, float]
) -> str:
    """Score the held-out images after `step` updates; returns a rule's reason to stop, or ""."""
    network = trainee.network
    for rule in trainee.regularizers.training:
        network = rule.network(network)
    for name, split in held_out.items():
        found = evaluate(network, split.images, split.labels, trainee.preprocess, precision=trainee.precision)
        numbers = {f"{name}/loss": found.loss, f"{name}/accuracy": found.accuracy}
        writer.scalars(step, numbers)
        metrics |= numbers
    return next((reason for rule in trainee.regularizers.training if (reason := rule.should_stop(metrics))), "")
