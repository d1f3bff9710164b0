"""Histograms of all layers' activations: normscope's, and those of PyTorch's SummaryWriter."""

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from benchmarks.passes import timed
from normscope.record import StepRecord
from normscope.runs.writer import RunWriter
from normscope.training.recording import write_measurement
from normscope.training.run import Job


def histograms(job: Job, first: StepRecord, folder: Path, blocks: int) -> dict[str, list[float]]:
    """Seconds from the tensors on the device to the file, by arm and block; the arms take turns.

    All arms count the same images of the same activations, which are there already. SummaryWriter has its own bins, of
    growing width, unless told otherwise; both are measured. All arms wait for the disk, as a run does at a checkpoint.

    Args:
        job: with the probe `activations`.
        folder: an empty one, for the files.
    """
    (probe,) = (probe for probe in job.probing.probes if probe.name == "activations")
    options = job.config["probe"]["activations"]
    record = replace(first, reads=probe.reads)
    layers = {layer: values[: options["images"]] for layer, values in record.layer_values("activations").items()}
    theirs: Any = SummaryWriter(str(folder / "theirs"))

    def add_histograms(step: int, bins: Any) -> None:
        for layer, values in layers.items():
            theirs.add_histogram(f"{bins}/{layer}", values, step, bins=bins)
        theirs.flush()
        (file,) = (folder / "theirs").iterdir()
        with file.open("rb") as written:
            os.fsync(written)

    with RunWriter(folder / "ours") as writer:

        def ours(step: int) -> None:
            write_measurement(writer, step, probe.measure(record))
            writer.flush()

        arms: dict[str, Callable[[int], None]] = {
            "normscope": ours,
            "add_histogram, as many bins": lambda step: add_histograms(step, options["bins"]),
            "add_histogram, its own bins": lambda step: add_histograms(step, "tensorflow"),
        }
        seconds: dict[str, list[float]] = {name: [] for name in arms}
        for step in range(blocks + 1):
            for name, arm in arms.items():
                taken, _ = timed(partial(arm, step), job.device)
                if step > 0:  # the first is a warm-up
                    seconds[name].append(taken)
    theirs.close()
    return seconds
