"""Before the first trial of a search: is it one, and may it choose by its score?"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.utils import get_class
from omegaconf import DictConfig, open_dict, read_write

from normscope.composed import choices_of, config_of, search_of
from normscope.errors import UsageError
from normscope.searches.narrowed import narrowed
from normscope.searches.record import Search, read_search, trials_of
from normscope.searches.scores import check_score
from normscope.searches.space import Setting, corners
from normscope.spaces import OWN, space_of, words_of


def checked_search(config: DictConfig, loader: ConfigLoader) -> tuple[Search, list[DictConfig]]:
    """The search that a command asks for, and configs that between them have both ends of every range, every listed
    value, and the last fold: those that stand for all its trials when they are checked.

    Raises:
        UsageError: if it is none, or would choose by images that it trains on or is tested on.
    """
    search = search_of(config)
    _check_settings(search, config)
    if search["within"]:
        _narrow(config, Path(str(search["within"])))
    space, fixed = space_of(OverridesParser.create(config_loader=loader).parse_overrides(words_of(config)))
    count = _count(space, config)
    _check_data(search, config.dataset)
    last_fold = [f"dataset.fold={search['folds'] - 1}"] if search["folds"] > 1 else []
    cells = [
        loader.load_sweep_config(config, [*fixed, *(f"{key}={value}" for key, value in trial.items()), *last_fold])
        for trial in corners(space)
    ]
    own = [word for word in fixed if word.lstrip("+~").partition(".")[0].partition("=")[0].partition("/")[0] not in OWN]
    record = Search(
        method=str(choices_of(config)["search"]),
        score=search["score"],
        trials=count,
        folds=search["folds"],
        seed=search["seed"],
        space=space,
        fixed=tuple(own),
        config=config_of(config),
    )
    return record, cells


def _narrow(config: DictConfig, coarse: Path) -> None:
    """Let the sweeper search where the best trials of a coarse search lie, but for what the command says itself."""
    given = [word.partition("=")[0] for word in config.hydra.overrides.task]
    try:
        search = read_search(coarse)
        found = narrowed(search, trials_of(search, coarse), given)
    except UsageError as error:
        raise UsageError(f"search.within={coarse}: {error}") from error
    with read_write(config), open_dict(config):
        config.hydra.sweeper.params = {**(config.hydra.sweeper.params or {}), **found}


def _check_settings(search: Mapping[str, Any], config: DictConfig) -> None:
    check_score(str(search["score"]))
    for name in ("trials", "folds"):
        if not isinstance(search[name], int) or search[name] < 1:
            raise UsageError(f"search.{name}={search[name]}: must be a whole number, at least 1")
    if not isinstance(search["seed"], int | None):
        raise UsageError(f"search.seed={search['seed']}: must be a whole number, or null")
    name = str(search["name"])
    if not name or Path(name).name != name or name.startswith("."):
        raise UsageError(f"search.name={name}: must be the name of a folder, without / and not hidden")
    if config.job:
        raise UsageError("job: a search trains networks, and a job only reads them; give one or the other")
    if config.score_test:
        raise UsageError(
            "score_test=true: the trials of a search do not look at the test set, which is for the chosen settings"
        )


def _check_data(search: Mapping[str, Any], dataset: Mapping[str, Any]) -> None:
    """Refuse to choose without images that are held out, and folds that the data set does not have."""
    if not dataset.get("validation"):
        raise UsageError(
            f"search.score={search['score']}: no images are held out of training to choose by; give some, such as "
            "dataset.validation=1000"
        )
    if search["folds"] > 1 and "fold" not in dataset:
        raise UsageError(
            f"search.folds={search['folds']}: the validation images of this data set are drawn beside its training "
            "images and have no folds; use search.folds=1, or another data set"
        )


def _count(space: Sequence[Setting], config: DictConfig) -> int:
    """How many trials there will be; refuses a method whose package is not installed."""
    try:
        sweeper = get_class(config.hydra.sweeper._target_)
    except (ImportError, HydraException) as error:
        raise UsageError(
            f"search={choices_of(config)['search']}: {config.hydra.sweeper._target_.split('.')[1]} is not installed; "
            "python -m pip install 'normscope[search]', or use search=random, which needs nothing more"
        ) from error
    if not hasattr(sweeper, "trials"):  # Optuna's, which sees the scores first
        return int(config.search.trials)
    try:
        return len(sweeper.trials(space, config.search))
    except ValueError as error:
        raise UsageError(str(error)) from error
