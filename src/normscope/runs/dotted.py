"""A nested config as one level of dotted keys."""

from collections.abc import Mapping
from typing import Any


def flat(config: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """A config as one level of dotted keys."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        found |= flat(value, f"{path}{key}.") if isinstance(value, Mapping) else {f"{path}{key}": value}
    return found


def values(config: Mapping[str, Any]) -> dict[str, Any]:
    """The same without the names of code, such as `_target_`."""
    return {key: value for key, value in flat(config).items() if not key.rpartition(".")[2].startswith("_")}
