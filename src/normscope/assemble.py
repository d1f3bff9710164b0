"""From a resolved config to the objects of a run."""

import hashlib
import inspect
import json
from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import torch
from hydra.utils import instantiate
from torch import nn

from normscope.data.batches import Batches
from normscope.data.dataset import Dataset
from normscope.data.drawn import drawn
from normscope.errors import UsageError
from normscope.fitting import check_augmentation, check_batch_norm, check_full_batch, check_observers
from normscope.inits import initialise
from normscope.losses import Loss
from normscope.measurement import Probe
from normscope.optimizers.plateau import observers
from normscope.preflight import settings_of
from normscope.regularizers.rules import PLACES, Regularizers
from normscope.settings import Settings, steps_of
from normscope.training.loop import Plan
from normscope.training.probing import Probing
from normscope.training.recording import Images
from normscope.training.run import Job
from normscope.training.step import Trainee, as_inputs, as_targets

PROBE_TYPES = {"fp32": torch.float32, "fp64": torch.float64}


def assemble(config: dict[str, Any], choices: dict[str, Any]) -> Job:
    """Put a run together: data, network, optimizer, probes.

    Args:
        config: resolved and checked by `preflight.check_config`.
        choices: group -> chosen name.
    Raises:
        UsageError: if the parts do not fit or cannot be had; nothing has been written then.
    """
    settings = settings_of(config)
    device = chosen_device(settings.device)
    dataset = load_dataset(config)
    rules = regularizers(config["regularizer"])
    check_augmentation(config["regularizer"], dataset.train.images)
    network = build_network(config, dataset, rules)
    check_batch_norm(network, settings.batch_size)
    network.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]

    order = partial(Batches, len(dataset.train.labels), settings.batch_size, _seed(settings, "order"))
    batches, first = built("dataset", order), dataset.train[order().next()]
    loss: Loss = made("loss", config["loss"])
    guess = built("loss", partial(loss.of_guessing, as_targets(first.labels, len(dataset.classes))))
    torch.manual_seed(_seed(settings, "noise"))
    steps = steps_of(settings, batches.steps_per_epoch)
    trainee = Trainee(
        network=network,
        optimizer=build_optimizer(config["optimizer"], network, device),
        regularizers=rules,
        preprocess=build_preprocess(config, dataset, device),
        loss=loss,
        classes=len(dataset.classes),
        precision=settings.precision,
        augmentation=torch.Generator(device).manual_seed(_seed(settings, "augmentation")),
        weights=dict(network.named_parameters()),
    )
    schedule = made("schedule", config["schedule"])
    plan = Plan(
        steps=steps,
        base_lr=config["optimizer"]["lr"],
        schedule=schedule,
        observers=observers(schedule),
        log_every=settings.log_every,
        evaluate_every=settings.evaluate_every or batches.steps_per_epoch,
        checkpoint_every=settings.checkpoint_every,
        diverged_above=settings.diverged_above * guess,
    )
    held_out = {"test": dataset.test} | ({"validation": dataset.validation} if dataset.validation else {})
    check_full_batch(trainee.optimizer, settings.batch_size, len(dataset.train.labels))
    check_observers(plan.observers, held_out)
    return Job(
        config=config,
        choices=choices,
        device=device,
        trainee=trainee,
        batches=batches,
        training=_on(device, dataset.train),
        held_out={name: _on(device, split) for name, split in held_out.items()},
        plan=plan,
        probing=Probing(
            tuple(_probe(name, node) for name, node in config["probe"].items()), PROBE_TYPES[settings.probe_precision]
        ),
    )


def chosen_device(name: str) -> torch.device:
    """The device that `auto`, `cpu` or `cuda` stands for here."""
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("device=cuda: PyTorch finds no GPU here; use device=cpu, or device=auto for whatever there is")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def load_dataset(config: Mapping[str, Any]) -> Dataset:
    """The run's data, read once per process."""
    node = {key: value for key, value in config["dataset"].items() if key != "preprocess"}
    return _loaded(json.dumps(node, sort_keys=True))


@cache
def _loaded(node: str) -> Dataset:
    dataset: Dataset = made("dataset", json.loads(node))
    return dataset


def build_network(config: Mapping[str, Any], dataset: Dataset, rules: Regularizers) -> nn.Module:
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
    build = partial(model, in_channels=channels, classes=len(dataset.classes), image_size=height, **rules.architecture)
    network: nn.Module = built("model", build)
    batch = partial(drawn_images, config, dataset)
    built("init", partial(initialise, network, made("init", config["init"]), config["seed"], batch))
    return network


def drawn_images(config: Mapping[str, Any], dataset: Dataset, count: int) -> torch.Tensor:
    """Training images drawn by the run's seed, as the network sees them, for an init that looks at data."""
    images = drawn(dataset.train.images, count, _seed(settings_of(config), "init"))
    seen: torch.Tensor = build_preprocess(config, dataset, torch.device("cpu"))(as_inputs(images))
    return seen


def build_optimizer(node: Mapping[str, Any], network: nn.Module, device: torch.device) -> torch.optim.Optimizer:
    """The optimizer in its fused form where it has one; on a GPU, where it can be captured, its rate is a tensor."""
    make = made("optimizer", node)
    takes = inspect.signature(make.func).parameters
    extra: dict[str, Any] = {"fused": True} if "fused" in takes else {}
    if device.type == "cuda" and ("fused" in takes or "capturable" in takes):
        extra["lr"] = torch.tensor(node["lr"], device=device)
        if "capturable" in takes:
            extra["capturable"] = True
    optimizer: torch.optim.Optimizer = built("optimizer", partial(make, network.parameters(), **extra))
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


def _probe(name: str, node: Mapping[str, Any]) -> Probe:
    measure = made(f"probe.{name}", {key: value for key, value in node.items() if key != "when"})
    home = inspect.getmodule(measure.func)
    bands, reads = getattr(home, "BANDS", {}), frozenset(getattr(home, "READS", ()))
    return Probe(name, made(f"probe.{name}.when", node["when"]), measure, bands, reads)


def _on(device: torch.device, split: Any) -> Images:
    return Images(split.images.to(device, memory_format=torch.channels_last), split.labels.to(device))


def _seed(settings: Settings, stream: str) -> int:
    """A seed of its own for each random stream of a run, so that drawing from one never moves another."""
    digest = hashlib.sha256(f"{settings.seed}/{stream}".encode()).digest()
    return int.from_bytes(digest[:7], "big")


def made(path: str, node: Mapping[str, Any]) -> Any:
    """What a node's `_target_` stands for, with the keys beside it as arguments."""
    return built(path, partial(instantiate, dict(node), _convert_="all"))


def built(path: str, build: Any) -> Any:
    """Call, and say of any refusal where in the config it comes from."""
    try:
        return build()
    except UsageError:
        raise
    except Exception as error:
        cause = error.__cause__ if type(error).__name__ == "InstantiationException" and error.__cause__ else error
        if isinstance(cause, UsageError):
            raise cause from None
        raise UsageError(f"{path}: {cause}") from error
