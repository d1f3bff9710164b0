"""One run in its folder: go on from where it stands, train, and leave its records behind."""

import contextlib
import resource
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from normscope.errors import UsageError
from normscope.runs.checkpoint import load_checkpoint, save_checkpoint
from normscope.runs.dotted import values
from normscope.runs.folder import config_hash, locked
from normscope.runs.summary import environment, write_config, write_summary
from normscope.runs.writer import RunWriter
from normscope.training.course import begin_rules
from normscope.training.loop import Outcome, Plan, train
from normscope.training.probing import Probing
from normscope.training.recording import Images
from normscope.training.state import (
    StatefulBatches,
    refuse_other_device,
    refuse_other_start,
    restore_training_state,
    training_state,
)
from normscope.training.step import Trainee

Progress = Callable[[int, Mapping[str, float]], None]


@dataclass(frozen=True)
class Job:
    """A run, put together and not yet begun.

    Attributes:
        config: resolved; `choices`: group -> name, as chosen.
        trainee, batches, training, held_out, plan, probing: as `train` takes them.
        start: which run its weights come from and what was taken, for the summary; empty where they are drawn.
    """

    config: dict[str, Any]
    choices: dict[str, Any]
    device: torch.device
    trainee: Trainee
    batches: StatefulBatches
    training: Images
    held_out: dict[str, Images]
    plan: Plan
    probing: Probing
    start: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Tell the rules what lies before them; UsageError where one does not fit."""
        batch_size = self.config["batch_size"]
        begin_rules(self.trainee, self.training, self.held_out, self.plan, batch_size=batch_size)


def carry_out(job: Job, folder: Path, progress: Progress) -> dict[str, Any]:
    """Train a job in its folder, going on from `last.pt` if there is one.

    Where that is of a run that has ended, nothing is trained: another process ended it since the caller looked, or it
    was killed before its summary was written.

    Returns:
        What `summary.json` says.
    Raises:
        UsageError: if the checkpoint cannot be used, another process works in the folder, or the disk is full.
    """
    with locked(folder):
        fingerprint = config_hash(job.config)
        start, ended = _restore(job, folder, fingerprint)
        write_config(folder, job.config, job.choices)
        with RunWriter(folder, start + 1 if ended else start) as writer:  # the last scores bear the last step's number
            writer.text("config", _as_card(job.config, job.choices))
            writer.hparams(_flat(job.config, job.choices))
            writer.bands(_bands(job))
            try:
                outcome = ended or _train(job, folder, writer, fingerprint, start, progress)
            except UsageError as error:  # no room, no permission: a message, not a defect
                _fail(job, folder, str(error), fingerprint)
                raise
            except Exception as error:
                _fail(job, folder, f"{type(error).__name__}: {error}", fingerprint)
                raise
            summary = _summary(job, outcome, fingerprint)
            write_summary(folder, summary)
            writer.close(outcome.status)
        return summary


def _bands(job: Job) -> dict[str, tuple[str, str, str]]:
    """The charts of all probes; one with `{layer}` in it stands for one of each layer that has an activation."""
    names = [name for name, _ in job.trainee.network.named_modules()]
    layers = [name.removesuffix(".activation") for name in names if name.endswith(".activation")]
    return {
        title.format(layer=layer): (value.format(layer=layer), lower.format(layer=layer), upper.format(layer=layer))
        for probe in job.probing.probes
        for title, (value, lower, upper) in probe.bands.items()
        for layer in (layers if "{layer}" in title else [""])
    }


def _restore(job: Job, folder: Path, fingerprint: str) -> tuple[int, Outcome | None]:
    """Put a job where its folder's checkpoint stands; returns the updates made, and how the run ended if it has."""
    path = folder / "last.pt"
    if not path.exists():
        return 0, None
    state = load_checkpoint(path, fingerprint)
    refuse_other_device(job.device, state["training"], path)
    kept = {name: tensor.to(job.device) for name, tensor in state["probes"].items()}
    job.probing.kept.update(kept)
    refuse_other_start(job.start, state.get("start"), path)
    start = restore_training_state(job.trainee, job.batches, state["training"], job.plan.observers)
    job.plan.thawing.apply(job.trainee, max(0, start - 1))  # what the last update left
    return start, Outcome(**state["outcome"]) if "outcome" in state else None


def _train(job: Job, folder: Path, writer: RunWriter, fingerprint: str, start: int, progress: Progress) -> Outcome:
    def save(step: int, ended: Outcome | None = None) -> None:
        writer.flush()  # first the series up to here, then the state that they belong to
        state = training_state(job.trainee, job.batches, step, job.plan.observers)
        kept = {"config_hash": fingerprint, "training": state, "probes": job.probing.kept}
        kept |= {"start": job.start} if job.start else {}
        kept |= {"outcome": asdict(ended)} if ended else {}
        save_checkpoint(folder / "last.pt", kept)

    outcome = train(
        job.trainee,
        job.batches,
        job.training,
        job.held_out,
        job.plan,
        job.probing,
        writer,
        start=start,
        save=save,
        progress=progress,
    )
    if outcome.status != "interrupted":
        save(outcome.step, outcome)
    return outcome


def _summary(job: Job, outcome: Outcome, fingerprint: str) -> dict[str, Any]:
    images = (outcome.step - outcome.start) * job.config["batch_size"]
    seconds = outcome.seconds
    return {
        "status": outcome.status,
        "reason": outcome.reason,
        "step": outcome.step,
        "resumed_at": outcome.start,
        "metrics": outcome.metrics,
        **({"start": job.start} if job.start else {}),
        "images_per_second": images / seconds["training"] if images else 0.0,
        "seconds": sum(seconds.values()),
        "seconds_by_activity": seconds,
        **_circumstances(job, fingerprint),
    }


def _fail(job: Job, folder: Path, reason: str, fingerprint: str) -> None:
    """Say in the folder that and why the run failed, if it can still be written."""
    with contextlib.suppress(UsageError):
        write_summary(folder, {"status": "failed", "reason": reason, **_circumstances(job, fingerprint)})


def _circumstances(job: Job, fingerprint: str) -> dict[str, Any]:
    on_gpu = job.device.type == "cuda"
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage counts bytes on macOS, kilobytes on Linux
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return {
        "seed": job.config["seed"],
        "device": torch.cuda.get_device_name(job.device) if on_gpu else "cpu",
        "precision": job.config["precision"],
        "peak_memory": torch.cuda.max_memory_allocated(job.device) if on_gpu else resident,
        "config_hash": fingerprint,
        **environment(),
    }


def _flat(config: Mapping[str, Any], choices: Mapping[str, Any]) -> dict[str, Any]:
    """The config as one level of dotted keys, without the names of code, plus the choices: TensorBoard's HPARAMS."""
    return {f"choice/{group}": name for group, name in choices.items() if isinstance(name, str)} | values(config)


def _as_card(config: Mapping[str, Any], choices: Mapping[str, Any]) -> str:
    """The config as a markdown table for TensorBoard's TEXT tab."""
    rows = [f"| {key} | {value} |" for key, value in _flat(config, choices).items()]
    return "\n".join(["| setting | value |", "| --- | --- |", *rows])
