"""The top-level settings of a run, typed and checked; knows neither Hydra nor PyTorch."""

import math
from dataclasses import dataclass, field
from typing import Any

from normscope.errors import UsageError

DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("fp32", "tf32", "bf16")
PROBE_PRECISIONS = ("fp32", "fp64")


@dataclass
class Settings:
    """What is neither a choice of a group nor Hydra's own; the schema of `configs/train.yaml`.

    Attributes:
        seed: of the initial weights, the order of the data, the augmentation and the noise, each a stream of its own.
        device: cuda, cpu, or auto: a GPU if there is one.
        precision: fp32; tf32 (a GPU's fast float32); bf16 (mixed precision: bfloat16 products, float32 weights).
        probe_precision: fp32 (TF32 off), or fp64 where differences would drown in rounding; of the probes alone.
        batch_size: images per update.
        epochs, steps: length of the run; `steps` counts where both are given.
        log_every, evaluate_every, checkpoint_every, probe_every: in updates; evaluate_every: null is once an epoch.
        evaluate_training: so many training images are scored too, as the test's are: without augmentation and dropout.
        diverged_above: a training loss above this many times that of guessing (ln K) ends the run as diverged.
        score_test: whether the test images are scored; the trials of a search do not see them.
        outputs: the folder of all runs.
        model, init, start, optimizer, schedule, regularizer, dataset, task, loss, probe, job, search: filled by groups.
    """

    seed: int = 0
    device: str = "auto"
    precision: str = "fp32"
    probe_precision: str = "fp32"
    batch_size: int = 128
    epochs: float | None = 10.0
    steps: int | None = None
    log_every: int = 10
    evaluate_every: int | None = None
    evaluate_training: int = 0
    checkpoint_every: int = 500
    probe_every: int = 100
    diverged_above: float = 100.0
    score_test: bool = True
    outputs: str = "outputs"
    model: dict[str, Any] = field(default_factory=dict)
    init: dict[str, Any] = field(default_factory=dict)
    start: dict[str, Any] = field(default_factory=dict)
    optimizer: dict[str, Any] = field(default_factory=dict)
    schedule: dict[str, Any] = field(default_factory=dict)
    regularizer: dict[str, Any] = field(default_factory=dict)
    dataset: dict[str, Any] = field(default_factory=dict)
    task: dict[str, Any] = field(default_factory=dict)
    loss: dict[str, Any] = field(default_factory=dict)
    probe: dict[str, Any] = field(default_factory=dict)
    job: dict[str, Any] = field(default_factory=dict)
    search: dict[str, Any] = field(default_factory=dict)


AT_LEAST_ONE = ("batch_size", "steps", "log_every", "evaluate_every", "checkpoint_every", "probe_every")


def check_settings(settings: Settings) -> None:
    """Raise UsageError on the first value that is out of its range."""
    choices = {"device": DEVICES, "precision": PRECISIONS, "probe_precision": PROBE_PRECISIONS}
    for name, allowed in choices.items():
        value = getattr(settings, name)
        if value not in allowed:
            raise UsageError(f"{name}={value}: choose one of {', '.join(allowed)}")
    for name in AT_LEAST_ONE:
        value = getattr(settings, name)
        if value is not None and value < 1:
            raise UsageError(f"{name}={value}: must be at least 1")
    if settings.evaluate_training < 0:
        raise UsageError(
            f"evaluate_training={settings.evaluate_training}: must be at least 0, how many training images are scored"
        )
    if settings.steps is None and not (settings.epochs is not None and 0 < settings.epochs < math.inf):
        raise UsageError(f"epochs={settings.epochs}, steps=null: give a length, epochs > 0 or steps >= 1")
    if not 0 <= settings.seed < 2**63:
        raise UsageError(f"seed={settings.seed}: must lie within 0 and 2^63 - 1")
    if not settings.diverged_above > 1:
        raise UsageError(f"diverged_above={settings.diverged_above}: must be above 1 (times the loss of guessing)")


def steps_of(settings: Settings, steps_per_epoch: int) -> int:
    """The number of updates of the run: `steps`, or `epochs` whole or broken epochs, at least one update."""
    if settings.steps is not None:
        return settings.steps
    assert settings.epochs is not None
    return max(1, round(settings.epochs * steps_per_epoch))
