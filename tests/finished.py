"""Finished runs made by hand, for tests of the jobs that look at them."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from normscope.losses import cross_entropy
from normscope.runs.reader import Run
from normscope.surveys.finished import FinishedRun
from normscope.training.recording import Images
from tests.recorded import small_network


def run_of(name: str = "a-run", *, batch_size: int = 8, step: int = 100, **choices: Any) -> Run:
    """A run's record as its folder would give it."""
    config = {"seed": 0, "batch_size": batch_size, "model": {"depth": 11}, "dataset": {"train_size": 24}}
    config["loss"] = {"reduction": "mean"}
    chosen = {"model": "vgg11", "model/norm": "batch", "dataset": "sample", **choices}
    return Run(Path("outputs") / name, config, chosen, {"status": "finished", "step": step})


def finished_run(
    network: nn.Module | None = None, *, images: Images | None = None, test: Images | None = None, **rest: Any
) -> FinishedRun:
    """A network as its run left it; by default the small one with BatchNorm and dropout, in float64, on 24 images."""
    network = network or small_network()
    made = {
        "run": run_of(),
        "network": network,
        "preprocess": lambda some: some,
        "loss": cross_entropy("mean"),
        "training": images or random_images(24, seed=1),
        "test": test or random_images(20, seed=2),
        "weights": {name: weight.detach().clone() for name, weight in network.named_parameters()},
        "buffers": {name: buffer.clone() for name, buffer in network.named_buffers()},
        "initial": {name: torch.zeros_like(weight) for name, weight in network.named_parameters()},
        "scored": lambda: network,
        **rest,
    }
    return FinishedRun(**made)


def random_images(count: int, seed: int) -> Images:
    """(count, 3, 4, 4) uint8, in ten classes."""
    source = torch.Generator().manual_seed(seed)
    images = torch.randint(256, (count, 3, 4, 4), generator=source, dtype=torch.uint8)
    return Images(images, torch.randint(10, (count,), generator=source))
