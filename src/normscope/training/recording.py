"""What the loop writes down: numbers leave the device here, once an occasion."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn

from normscope.measurement import Measurement
from normscope.tasks import Task
from normscope.training.evaluation import evaluate
from normscope.training.step import Trainee, Update

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class Writer(Protocol):
    """Takes the series of a training: the writer of a run, or whoever trains without leaving files."""

    def scalars(self, step: int, values: Mapping[str, float]) -> None: ...

    def histogram(
        self, step: int, name: str, edges: "ArrayLike", counts: "ArrayLike", total: float, total_squares: float
    ) -> None: ...


@dataclass(frozen=True)
class Images:
    """A split on the device: (N, C, H, W) uint8 and (N,) int64, or numbers (N, C, H, W) and (N, K) float32."""

    images: Tensor
    labels: Tensor

    def batch(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """The images and labels of an index (N,) on the host; a GPU is handed the index without waiting for it."""
        if self.images.is_cuda:
            index = index.pin_memory().to(self.images.device, non_blocking=True)
        return self.images[index], self.labels[index]


def write_measurement(writer: Writer, step: int, found: Measurement) -> None:
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


def write_update(writer: Writer, step: int, update: Update, lr: float) -> dict[str, float]:
    """Bring an update's numbers to the host in one transfer, write and return them."""
    found = {"train/loss": update.loss, "train/objective": update.objective}
    if update.accuracy is not None:
        found["train/accuracy"] = update.accuracy
    numbers = dict(zip(found, torch.stack([*found.values()]).tolist(), strict=True)) | {"train/lr": lr}
    writer.scalars(step, numbers)
    return numbers


def scored_network(trainee: Trainee) -> nn.Module:
    """The network that is scored: the trained one, or what a rule puts in its place, such as an average."""
    network = trainee.network
    for rule in trainee.regularizers.followers:
        network = rule.network(network)
    return network


def score_names(held_out: Iterable[str], task: Task) -> tuple[str, ...]:
    """The series that `score` writes of these splits; what has no classes has no accuracy."""
    kinds = ("loss", "accuracy") if task.has_classes else ("loss",)
    return tuple(f"{split}/{kind}" for split in held_out for kind in kinds)


def score(
    trainee: Trainee, held_out: Mapping[str, Images], writer: Writer, step: int, metrics: dict[str, float]
) -> str:
    """Score the held-out images after `step` updates; returns a rule's reason to stop, or ""."""
    rules, network = trainee.regularizers.followers, scored_network(trainee)
    for rule in rules:
        rule.before_scoring(network)
    for name, split in held_out.items():
        found = evaluate(
            network,
            split.images,
            split.labels,
            trainee.preprocess,
            loss=trainee.loss,
            precision=trainee.precision,
            examples=trainee.task.examples,
        )
        numbers = {f"{name}/loss": found.loss}
        if not math.isnan(found.accuracy):  # numbers have none
            numbers[f"{name}/accuracy"] = found.accuracy
        writer.scalars(step, numbers)
        metrics |= numbers
    return next((reason for rule in rules if (reason := rule.should_stop(metrics))), "")
