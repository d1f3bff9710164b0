"""What can be wrong with a config, found without importing PyTorch."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from normscope.errors import UsageError
from normscope.settings import Settings, check_settings
from normscope.signatures import Signature, signature_of

ALLOWED = ("normscope.", "torch.")  # a config never names other code
ONE_OF = (
    "model",
    "init",
    "optimizer",
    "schedule",
    "dataset",
    "task",
    "loss",
)  # groups of which a run has exactly one choice
PLAIN_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "str": (str,),
    "None": (type(None),),
}


def check_config(config: Mapping[str, Any]) -> None:
    """Raise UsageError on the first thing in a resolved config that cannot work.

    Checks the ranges of the settings; that each group has its choice; that each `_target_` is one of normscope's or
    PyTorch's functions or classes, exists, and takes the keys that stand beside it; and that numbers, strings and
    booleans stand where the target's annotations ask for them.
    """
    check_settings(settings_of(config))
    for group in ONE_OF:
        if "_target_" not in (config.get(group) or {}):
            raise UsageError(f"{group}: nothing is chosen; give one with {group}=NAME (see normscope --help)")
    for path, node in targets(config):
        _check_target(path, node)


def settings_of(config: Mapping[str, Any]) -> Settings:
    """The top-level settings of a config, whatever else it holds left aside; a run's has no `job`, no `search`.

    Raises:
        UsageError: if one is not there: the config of a run that another version trained.
    """
    names = [f.name for f in fields(Settings) if f.name not in ("job", "search")]
    for name in names:
        if name not in config:
            raise UsageError(
                f"{name}: not in this config, which another version of normscope wrote; train the run anew"
            )
    return Settings(**{name: config[name] for name in names})


def targets(node: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every mapping with a `_target_`, with its place in the config; Hydra looks for them in lists too."""
    if isinstance(node, Mapping):
        if "_target_" in node:
            yield path, node
        for key, value in node.items():
            yield from targets(value, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from targets(value, f"{path}[{index}]")


def _check_target(path: str, node: Mapping[str, Any]) -> None:
    target = node["_target_"]
    if not isinstance(target, str) or not target.startswith(ALLOWED):
        raise UsageError(f"{path}._target_={target}: only names that begin with {' or '.join(ALLOWED)} are called")
    signature = signature_of(target)
    if signature is None:
        raise UsageError(f"{path}._target_={target}: there is no such function or class; see the files in configs/")
    for key, value in node.items():
        if key in ("_target_", "_partial_") or key in _handled_by_us(path):
            continue
        if key not in signature.annotations and not signature.open_ended:
            raise UsageError(_unknown_key(path, key, target, signature))
        _check_type(f"{path}.{key}", value, signature.annotations.get(key, ""))


def _handled_by_us(path: str) -> tuple[str, ...]:
    """Keys that the assembly takes out before the target is called."""
    if path == "dataset":
        return ("preprocess",)
    return ("when",) if path.startswith("probe.") else ()


def _unknown_key(path: str, key: str, target: str, signature: Signature) -> str:
    close = difflib.get_close_matches(key, signature.annotations, n=1)
    hint = f"did you mean {path}.{close[0]}?" if close else f"it takes {', '.join(signature.annotations)}"
    return f"{path}.{key}: {target} has no argument '{key}'; {hint}"


def _check_type(path: str, value: Any, annotation: str) -> None:
    """Compare a value with an annotation that consists of plain types, or a list of them; others are left to the
    target."""
    if annotation.startswith("Sequence[") and _are_plain(annotation[len("Sequence[") : -1]):
        if not isinstance(value, list):
            raise UsageError(f"{path}={value!r}: must be a list, such as [{value}]")
        for item in value:
            _check_type(path, item, annotation[len("Sequence[") : -1])
    elif _are_plain(annotation) and not _fits(value, annotation):
        raise UsageError(f"{path}={value!r}: must be {annotation}")


def _are_plain(annotation: str) -> bool:
    return set(annotation.split(" | ")) <= {*PLAIN_TYPES, "Tensor"}


def _fits(value: Any, annotation: str) -> bool:
    kinds = tuple(kind for name in annotation.split(" | ") for kind in PLAIN_TYPES.get(name, ()))
    return isinstance(value, kinds) and not (isinstance(value, bool) and bool not in kinds)
