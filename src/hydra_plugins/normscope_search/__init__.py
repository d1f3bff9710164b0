"""The sweepers of `search=grid` and `search=random`; Hydra looks for its plugins in this place only."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

if TYPE_CHECKING:
    from normscope.searches.space import Setting, Trial


class GridSweeper(BasicSweeper):
    """Hydra's own sweeper, but that its runs are the trials of a grid search."""

    @staticmethod
    def trials(space: "Sequence[Setting]", search: DictConfig) -> "list[Trial]":
        """Key -> value for each trial; `search`: the settings of that name."""
        from normscope.searches.grid_trials import grid_trials

        return grid_trials(space, search.trials)

    def split_arguments(self, overrides: list[Override], max_batch_size: int | None) -> list[list[list[str]]]:  # type: ignore[override]
        """One batch: the overrides of each trial."""
        from normscope.spaces import space_of

        assert self.config is not None
        space, fixed = space_of(overrides)
        trials = self.trials(space, self.config.search)
        return [[[*fixed, *(f"{key}={value}" for key, value in trial.items())] for trial in trials]]

    def validate_batch_is_legal(self, batch: object) -> None:
        """Nothing: normscope.searching has composed both ends of every range and every listed value."""


class RandomSweeper(GridSweeper):
    """The same for a random search."""

    @staticmethod
    def trials(space: "Sequence[Setting]", search: DictConfig) -> "list[Trial]":
        """Key -> value for each trial; `search`: the settings of that name."""
        from normscope.searches.random_trials import random_trials

        return random_trials(space, search.trials, search.seed)
