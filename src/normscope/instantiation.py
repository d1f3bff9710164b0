"""From a node of the config to what it stands for; a refusal says where in the config it comes from."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from hydra.utils import instantiate

from normscope.errors import UsageError


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
