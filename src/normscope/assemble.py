"""From a resolved config to the objects of a run."""

from functools import partial
from typing import Any

import torch

from normscope.captured_gradient import gradient_taker
from normscope.data.batches import Batches
from normscope.data.dataset import Dataset, Split, subset
from normscope.errors import UsageError
from normscope.fitting import (
    check_augmentation,
    check_batch_norm,
    check_full_batch,
    check_labels_count,
    check_observers,
    check_one_rate,
    check_part_trained,
)
from normscope.instantiation import built, made
from normscope.losses import Loss
from normscope.optimizers.plateau import observers
from normscope.parts import (
    build_network,
    build_optimizer,
    build_preprocess,
    build_probe,
    load_dataset,
    regularizers,
    seed_of,
)
from normscope.preflight import settings_of
from normscope.settings import Settings, steps_of
from normscope.tasks import Task
from normscope.training.loop import Plan
from normscope.training.probing import Probing
from normscope.training.recording import Images, score_names
from normscope.training.run import Job
from normscope.training.step import Trainee, as_inputs, as_targets
from normscope.training.thawing import Thawing
from normscope.transfer import begin

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
    task: Task = built("task", partial(made("task", config["task"]), dataset))
    check_labels_count(task, config["dataset"])
    network = build_network(config, dataset, task, rules)
    beginning = begin(config, choices, dataset, network)
    check_one_rate(made("optimizer", config["optimizer"]).func, beginning.thawing, beginning.lr_factor)
    check_part_trained(rules, beginning.thawing)
    check_batch_norm(network, settings.batch_size)
    network.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]

    order = partial(Batches, len(dataset.train.labels), settings.batch_size, seed_of(settings.seed, "order"))
    batches, first = built("dataset", order), dataset.train[order().next()]
    preprocess = build_preprocess(config, dataset, device)
    seen = preprocess(as_inputs(first.images.to(device)))
    _, targets = task.examples(seen, as_targets(first.labels, len(dataset.classes)).to(device))
    loss: Loss = made("loss", config["loss"])
    guess = built("loss", partial(loss.of_guessing, targets))
    torch.manual_seed(seed_of(settings.seed, "noise"))
    trainee = Trainee(
        network=network,
        optimizer=build_optimizer(config["optimizer"], beginning.parameters(network), device),
        regularizers=rules,
        preprocess=preprocess,
        loss=loss,
        task=task,
        classes=len(dataset.classes),
        precision=settings.precision,
        augmentation=torch.Generator(device).manual_seed(seed_of(settings.seed, "augmentation")),
        weights=dict(network.named_parameters()),
    )
    plan = _plan(config, settings, batches.steps_per_epoch, guess, beginning.thawing)
    plan.thawing.apply(trainee, step=0)
    probes = tuple(build_probe(name, node) for name, node in config["probe"].items())
    held_out = {name: _on(device, split) for name, split in _scored(settings, dataset).items()}
    check_full_batch(trainee.optimizer, settings.batch_size, len(dataset.train.labels))
    check_observers(plan.observers, score_names(held_out, task))
    return Job(
        config=config,
        choices=choices,
        device=device,
        trainee=trainee,
        batches=batches,
        training=_on(device, dataset.train),
        held_out=held_out,
        plan=plan,
        probing=Probing(probes, PROBE_TYPES[settings.probe_precision], take_gradient=gradient_taker(device)),
        start=beginning.told,
    )


def _plan(config: dict[str, Any], settings: Settings, steps_per_epoch: int, guess: float, thawing: Thawing) -> Plan:
    """How long, at which rates and with what on the way; `guess` is the loss of guessing."""
    schedule = made("schedule", config["schedule"])
    return Plan(
        steps=steps_of(settings, steps_per_epoch),
        base_lr=config["optimizer"]["lr"],
        schedule=schedule,
        observers=observers(schedule),
        log_every=settings.log_every,
        evaluate_every=settings.evaluate_every or steps_per_epoch,
        checkpoint_every=settings.checkpoint_every,
        diverged_above=settings.diverged_above * guess,
        thawing=thawing,
    )


def _scored(settings: Settings, dataset: Dataset) -> dict[str, Split]:
    """The images that are scored, by the name of their series."""
    scored = {"test": dataset.test} if settings.score_test else {}
    scored |= {"validation": dataset.validation} if dataset.validation else {}
    if settings.evaluate_training:
        scored["training_set"] = built("evaluate_training", partial(subset, dataset.train, settings.evaluate_training))
    return scored


def chosen_device(name: str) -> torch.device:
    """The device that `auto`, `cpu` or `cuda` stands for here."""
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("device=cuda: PyTorch finds no GPU here; use device=cpu, or device=auto for whatever there is")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def _on(device: torch.device, split: Any) -> Images:
    return Images(split.images.to(device, memory_format=torch.channels_last), split.labels.to(device))
