"""A run's folder: what it is called, and that one process writes it."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from normscope.errors import UsageError
from normscope.runs.atomic import writing

LONGEST_NAME = 100


def config_hash(config: Mapping[str, Any]) -> str:
    """Eight hexadecimal digits that stand for a resolved config.

    The first 32 bits of the SHA-256 of its JSON with sorted keys: equal configs agree in every process and on every
    machine, and the order of the keys does not matter.

    Raises:
        TypeError: if the config holds something that is not a mapping, a list, a number, a string, a bool or null.
    """
    try:
        text = json.dumps(config, sort_keys=True, separators=(",", ":"))
    except TypeError as error:
        raise TypeError(f"config_hash: {error}; give the resolved config as plain dicts, lists and numbers") from error
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def run_name(config: Mapping[str, Any], choices: Mapping[str, str | None]) -> str:
    """What a run's folder is called, e.g. `vgg11-batch-lr0.01-seed0-1a2b3c4d`.

    Args:
        config: the resolved config.
        choices: group -> the option that was chosen.
    Returns:
        The model, the norm, the initialisation unless it is the default one, the learning rate and the seed, for the
        reader; the config's hash, so that two configs never share a folder. At most 100 of A-Z a-z 0-9 . _ = + -
    """
    parts = [choices.get("model"), choices.get("model/norm")]
    if choices.get("init") != "default":
        parts.append(choices.get("init"))
    lr = (config.get("optimizer") or {}).get("lr")
    parts.append(f"lr{lr:g}" if isinstance(lr, int | float) else None)  # a mistyped one is told of elsewhere
    parts.append(None if config.get("seed") is None else f"seed{config['seed']}")
    end = f"-{config_hash(config)}"
    name = re.sub(r"[^A-Za-z0-9._=+-]", "_", "-".join(part for part in parts if part)) or "run"
    return name.lstrip("-.")[: LONGEST_NAME - len(end)] + end


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a run's folder, made where it is missing, for this process alone.

    The system lets go of the lock when the process ends, however it ends.

    Raises:
        UsageError: if another process (or thread) holds it, or the folder cannot be written.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:  # an OSError too
            raise UsageError(
                f"{folder} is being written by another process; wait for it to end, or choose another folder "
                "by hydra.run.dir=DIR"
            ) from error
    try:
        yield
    finally:
        lock.release()
