"""A run's state between two updates, in one file that is whole or not there."""

import io
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from normscope.errors import UsageError
from normscope.runs.atomic import replace_file

FORMAT = 2  # 2: with what the probes remember
PLAIN = (type(None), bool, int, float, str, bytes, torch.Tensor, torch.nn.Parameter)


def save_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Replace the checkpoint by this state, on the disk when the call returns.

    Args:
        path: the file, `last.pt`.
        state: nested dicts and lists of tensors, numbers and strings, with the run's "config_hash".
    Raises:
        ValueError: if "config_hash" is missing.
        TypeError: if the state holds what `load_checkpoint` would refuse; the message names the place.
        UsageError: if there is no room or no permission; the message holds the size, and the old file stays whole.
    """
    if "config_hash" not in state:
        raise ValueError(f"checkpoint state has no 'config_hash', only {sorted(state)}; add it")
    refuse_objects(dict(state), "state")
    memory = io.BytesIO()  # the size is known, and a full disk met, before the old file is touched
    torch.save({**state, "format": FORMAT}, memory)
    replace_file(path, memory.getbuffer())


def load_checkpoint(path: Path, config_hash: str) -> dict[str, Any]:
    """Read a checkpoint of this very config, all tensors on the CPU.

    Nothing in the file is ever run: `weights_only=True`, after the checksums of its parts have been compared.

    Returns:
        The state as it was saved, with "format" and "config_hash".
    Raises:
        UsageError: if the file is missing, unreadable, truncated, altered, foreign, of another format of normscope,
            or of another config; the message names the file, what is wrong and the way out.
    """
    state = read_archive(path)
    if not isinstance(state, dict) or "format" not in state or "config_hash" not in state:
        raise refusal(path, "was not written by normscope")
    if state["format"] != FORMAT:
        raise refusal(path, f"has format {state['format']}, and this version of normscope reads format {FORMAT}")
    if state["config_hash"] != config_hash:
        raise refusal(path, f"belongs to config {state['config_hash']}, and this run's config is {config_hash}")
    return state


def read_archive(path: Path) -> object:
    """What `torch.save` put into a file, once every part of it has matched its checksum.

    PyTorch does not look at the checksums itself: a flipped bit in a weight would go unnoticed.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except OSError as error:
        raise refusal(path, f"cannot be read: {error.strerror or error}") from error
    except Exception as error:  # zipfile raises a dozen kinds on foreign bytes
        raise refusal(path, f"is truncated or no checkpoint ({error})") from error
    if damaged is not None:
        raise refusal(path, f"is damaged: the checksum of {damaged} is wrong")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # and so does torch.load
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise refusal(path, f"is no checkpoint of tensors, numbers and strings ({reason})") from error


def refusal(path: Path, reason: str) -> UsageError:
    return UsageError(f"checkpoint {path} {reason}; delete it to start this run over")


def refuse_objects(value: object, place: str) -> None:
    """Raise TypeError if anything but dicts, lists, tuples, tensors, numbers and strings lies in `value`."""
    if isinstance(value, dict) and type(value) in (dict, OrderedDict):
        for key, item in value.items():
            refuse_objects(key, f"a key of {place}")
            refuse_objects(item, f"{place}[{key!r}]")
    elif isinstance(value, list | tuple) and type(value) in (list, tuple):
        for index, item in enumerate(value):
            refuse_objects(item, f"{place}[{index}]")
    elif type(value) not in PLAIN:
        raise TypeError(f"{place} is a {type(value).__name__}; keep tensors, numbers and strings only")
