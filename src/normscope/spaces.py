"""From the words of a command to the space of a search."""

from collections.abc import Sequence

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from normscope.errors import UsageError
from normscope.searches.space import Interval, Listed, Setting

OWN = ("search", "hydra")  # what a search is steered with


def words_of(config: DictConfig) -> list[str]:
    """What a sweep is given: `hydra.sweeper.params`, then the overrides of the command; the last of a key counts."""
    params = config.hydra.sweeper.params or {}
    return [*(f"{key}={value}" for key, value in params.items()), *config.hydra.overrides.task]


def space_of(overrides: Sequence[Override]) -> tuple[tuple[Setting, ...], list[str]]:
    """The settings that are searched, and the overrides that every trial has.

    Ranges are `interval(LOW,HIGH)`, `tag(log,interval(LOW,HIGH))` and, of whole numbers, `int(interval(LOW,HIGH))`;
    lists are `A,B,C` and `choice(A,B,C)`: Hydra's notation, as its Optuna sweeper reads it.

    Raises:
        UsageError: if nothing is searched, or what is no setting of a network.
    """
    settings: dict[str, Setting] = {}
    fixed: dict[str, str] = {}
    for override in overrides:
        key = override.get_key_element()
        settings.pop(key, None)
        fixed.pop(key, None)
        if override.is_sweep_override():
            settings[key] = _setting(key, override)
        else:
            fixed[key] = f"{key}={override.get_value_element_as_str()}"
    if not settings:
        raise UsageError(
            "nothing to search; give ranges or lists, quoted for the shell: 'optimizer.lr=tag(log,interval(1e-4,1))' "
            "model/norm=none,batch"
        )
    return tuple(settings.values()), list(fixed.values())


def _setting(key: str, override: Override) -> Setting:
    group = key.lstrip("+~").partition(".")[0].partition("/")[0]
    if group in OWN:
        raise UsageError(f"{key}: a search cannot choose how it is made; give one value")
    if key == "seed":
        raise UsageError(
            "seed: no setting to be chosen, because the best one is luck; average it out with search.folds=5, or "
            "repeat the search with another seed"
        )
    value = override.value()
    if override.is_range_sweep():
        raise UsageError(f"{key}: Optuna reads range(...) otherwise than Hydra; give interval(LOW,HIGH), or a list")
    try:
        if not override.is_interval_sweep():
            return Listed(key, tuple(override.sweep_string_iterator()))
        tags = {str(tag) for tag in value.tags}  # type: ignore[union-attr]
        if unknown := tags - {"log"}:
            raise UsageError(f"{key}: the tag {min(unknown)} means nothing here; there is log, for factors of ten")
        low, high = value.start, value.end  # type: ignore[union-attr]
        assert low is not None
        assert high is not None
        whole = isinstance(low, int) and isinstance(high, int)
        return Interval(key, float(low), float(high), "log" in tags, whole)
    except ValueError as error:
        raise UsageError(str(error)) from error
