"""Everything that the rest of a run depends on, as a checkpoint holds it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from normscope.errors import UsageError
from normscope.record import random_state, restore_random_state
from normscope.training.step import Trainee


class StatefulBatches(Protocol):
    """An order of the training images that can be left and taken up again."""

    def next(self) -> Tensor: ...

    def state(self) -> dict[str, Any]: ...

    def restore(self, state: dict[str, Any]) -> None: ...


class Observer(Protocol):
    """A schedule that follows a score: told the latest ones after each evaluation."""

    watch: str  # the score, e.g. validation/loss

    def observe(self, metrics: Mapping[str, float]) -> None: ...

    def state(self) -> dict[str, Any]: ...

    def restore(self, state: dict[str, Any]) -> None: ...


def training_state(
    trainee: Trainee, batches: StatefulBatches, step: int, observers: Sequence[Observer] = ()
) -> dict[str, Any]:
    """The state before update number `step`: weights, running statistics, optimizer, data order, random streams, and
    what those schedules know that follow a score."""
    return {
        "step": step,
        "network": trainee.network.state_dict(),
        "optimizer": trainee.optimizer.state_dict(),
        "batches": batches.state(),
        "augmentation": trainee.augmentation.get_state(),
        "noise": random_state(_device(trainee)),
        "rules": [rule.state() for rule in trainee.regularizers.followers],
        "observers": [observer.state() for observer in observers],
    }


def restore_training_state(
    trainee: Trainee, batches: StatefulBatches, state: dict[str, Any], observers: Sequence[Observer] = ()
) -> int:
    """Continue from what `training_state` returned.

    Returns:
        The number of updates that were made before.
    """
    device = _device(trainee)
    trainee.network.load_state_dict(state["network"])
    trainee.optimizer.load_state_dict(state["optimizer"])
    for group in trainee.optimizer.param_groups:
        if isinstance(group["lr"], Tensor):  # what a captured graph reads has to lie on the device
            group["lr"] = group["lr"].to(device)
    batches.restore(state["batches"])
    trainee.augmentation.set_state(state["augmentation"])
    restore_random_state(device, state["noise"])
    restore_rules(trainee, state)
    for observer, kept in zip(observers, state.get("observers", []), strict=True):  # older checkpoints lack the key
        observer.restore(kept)
    return int(state["step"])


def refuse_other_device(device: torch.device, state: Mapping[str, Any], path: Path) -> None:
    """Refuse to go on on a CPU with the random numbers of a GPU, or the other way round.

    Args:
        state: as `training_state` returned it, in the checkpoint at `path`.
    Raises:
        UsageError: that says where it can go on.
    """
    if state["noise"].shape != random_state(device).shape:
        here, there, way = (
            ("a GPU", "a CPU", "hide the GPU from it (CUDA_VISIBLE_DEVICES=-1)")
            if device.type == "cuda"
            else ("a CPU", "a GPU", "repeat the command where there is one")
        )
        raise UsageError(
            f"{path}: the run began on {there}, and its random numbers cannot go on on {here}; {way}, or delete {path} "
            "to start the run over"
        )


def refuse_other_start(start: Mapping[str, Any], kept: Mapping[str, Any] | None, path: Path) -> None:
    """Refuse to go on where the run that a checkpoint's run started from is no longer what it was.

    Args:
        start: of the job as it is put together now; kept: as the checkpoint at `path` says it was.
    Raises:
        UsageError: that names both.
    """
    now, then = (str(one.get("checkpoint_sha256", "")) for one in (start, kept or {}))
    if now != then:
        raise UsageError(
            f"{path}: the run started from a checkpoint with SHA-256 {then[:8]}..., and {start['run']} holds another "
            f"({now[:8]}...) by now; put that run back, or delete {path} to start this one over"
        )


def restore_rules(trainee: Trainee, state: Mapping[str, Any]) -> None:
    """Let the rules go on from what they kept in a state that `training_state` returned."""
    for rule, kept in zip(trainee.regularizers.followers, state["rules"], strict=True):
        rule.restore(_moved(kept, _device(trainee)))


def _moved(value: Any, device: torch.device) -> Any:
    """A nested state with its tensors on a device."""
    if isinstance(value, dict):
        return {key: _moved(item, device) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_moved(item, device) for item in value]
    return value.to(device) if isinstance(value, Tensor) else value


def _device(trainee: Trainee) -> torch.device:
    return next(iter(trainee.weights.values())).device
