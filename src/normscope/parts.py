"""The parts of a run, each from its group of the config."""

import hashlib
import inspect
import json
from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import torch
from torch import nn

from normscope.data.dataset import Dataset
from normscope.data.drawn import drawn
from normscope.errors import UsageError
from normscope.inits import initialise
from normscope.instantiation import built, made
from normscope.measurement import Probe
from normscope.regularizers.rules import PLACES, Regularizers
from normscope.tasks import Task
from normscope.training.step import as_inputs


def seed_of(seed: int, stream: str) -> int:
    """A seed of its own for each random stream of a run, so that drawing from one never moves another."""
    digest = hashlib.sha256(f"{seed}/{stream}".encode()).digest()
    return int.from_bytes(digest[:7], "big")


def load_dataset(config: Mapping[str, Any]) -> Dataset:
    """The run's data, read once per process."""
    node = {key: value for key, value in config["dataset"].items() if key != "preprocess"}
    return _loaded(json.dumps(node, sort_keys=True))


@cache
def _loaded(node: str) -> Dataset:
    dataset: Dataset = made("dataset", json.loads(node))
    return dataset


def build_network(config: Mapping[str, Any], dataset: Dataset, task: Task, rules: Regularizers) -> nn.Module:
    """The model with its slots filled, and its initial weights drawn from the run's seed."""
    model = made("model", config["model"])
    lacking = [slot for slot in rules.architecture if slot not in inspect.signature(model.func).parameters]
    if lacking:
        slots = [s for s in ("pool", "linear", "dropout", "branch") if s in inspect.signature(model.func).parameters]
        raise UsageError(f"regularizer: this model has no slot '{lacking[0]}'; it has {', '.join(slots) or 'none'}")
    _, channels, height, width = dataset.train.images.shape
    if height != width:
        raise UsageError(
            f"dataset: its images are {height}x{width}; the models take square ones, so crop or resize them"
        )
    build = partial(model, in_channels=channels, classes=task.outputs, image_size=height, **rules.architecture)
    network: nn.Module = built("model", build)
    batch = partial(drawn_images, config, dataset)
    built("init", partial(initialise, network, made("init", config["init"]), config["seed"], batch))
    return network


def drawn_images(config: Mapping[str, Any], dataset: Dataset, count: int) -> torch.Tensor:
    """Training images drawn by the run's seed, as the network sees them, for an init that looks at data."""
    images = drawn(dataset.train.images, count, seed_of(config["seed"], "init"))
    seen: torch.Tensor = build_preprocess(config, dataset, torch.device("cpu"))(as_inputs(images))
    return seen


def build_optimizer(node: Mapping[str, Any], parameters: list[Any], device: torch.device) -> torch.optim.Optimizer:
    """The optimizer in its fused form where it has one; on a GPU, where it can be captured, its rate is a tensor.

    Args:
        parameters: or groups of them, as PyTorch's optimizers take them.
    """
    make = made("optimizer", node)
    takes = inspect.signature(make.func).parameters
    extra: dict[str, Any] = {"fused": True} if "fused" in takes else {}
    if device.type == "cuda" and ("fused" in takes or "capturable" in takes):
        extra["lr"] = torch.tensor(node["lr"], device=device)
        if "capturable" in takes:
            extra["capturable"] = True
    optimizer: torch.optim.Optimizer = built("optimizer", partial(make, parameters, **extra))
    for group in optimizer.param_groups:
        if isinstance(group["lr"], torch.Tensor):  # one of its own: they may differ
            group["lr"] = group["lr"].clone()
    return optimizer


def build_preprocess(config: Mapping[str, Any], dataset: Dataset, device: torch.device) -> Any:
    """Float images in [0, 1] -> what the network sees, fitted to the training split."""
    node = config["dataset"].get("preprocess")
    if node is None:
        return _unchanged
    return built("dataset.preprocess", partial(made("dataset.preprocess", node), dataset.train)).to(device)


def _unchanged(images: torch.Tensor) -> torch.Tensor:
    return images


def regularizers(nodes: Mapping[str, Any]) -> Regularizers:
    """Sort the chosen regularizers by the place where they act, in the order in which they were chosen."""
    slots: dict[str, Any] = {}
    acting: dict[str, list[Any]] = {place: [] for place in PLACES if place != "architecture"}
    for name, places in nodes.items():
        for place, node in places.items():
            if place == "architecture":
                if taken := slots.keys() & node.keys():
                    raise UsageError(f"regularizer.{name}: the slot '{min(taken)}' is taken by another; leave one out")
                slots |= {slot: made(f"regularizer.{name}", factory) for slot, factory in node.items()}
            elif place in acting:
                acting[place].append(made(f"regularizer.{name}", node))
            else:
                raise UsageError(f"regularizer.{name}.{place}: no such place; there are {', '.join(PLACES)}")
    return Regularizers(architecture=slots, **{place: tuple(rules) for place, rules in acting.items()})


def build_probe(name: str, node: Mapping[str, Any]) -> Probe:
    measure = made(f"probe.{name}", {key: value for key, value in node.items() if key != "when"})
    home = inspect.getmodule(measure.func)
    bands, reads = getattr(home, "BANDS", {}), frozenset(getattr(home, "READS", ()))
    return Probe(name, made(f"probe.{name}.when", node["when"]), measure, bands, reads)
