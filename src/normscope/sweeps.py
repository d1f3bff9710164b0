"""Before the first run and after the last one: Hydra's callback."""

import sys
from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from hydra.experimental.callback import Callback
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from normscope.cells import cells_of, check, chosen_by_hydra
from normscope.composed import choices_of
from normscope.cost import begin, each
from normscope.errors import UsageError


class Sweep(Callback):
    """Checks every run of a command before the first one starts, and says at the end how they all went.

    Hydra swallows exceptions in callbacks, but not SystemExit: that is how a mistake ends the command.
    """

    def __init__(self) -> None:
        self._folders: list[Path] = []
        self._jobs: list[str] = []  # the job of each cell, "" where it trains

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Check the one run."""
        _or_exit(lambda: check([config], [Path(config.hydra.run.dir)]))

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Compose and check all runs of the sweep."""

        def begin_sweep() -> None:
            if choices_of(config)["search"]:
                _begin_search(config)
                return
            cells = cells_of(config)
            self._folders = [Path(cell.hydra.sweep.dir) / cell.hydra.sweep.subdir for cell in cells]
            self._jobs = [str(cell.hydra.runtime.choices["job"] or "") for cell in cells]
            cost = check(cells, self._folders)
            if not all(self._jobs) and chosen_by_hydra(config):
                print(f"{choices_of(config)['experiment'] or 'sweep'}: {cost}", flush=True)
                begin(cost)

        _or_exit(begin_sweep)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Print a table of all runs, draw the experiment's figure if there is one, and leave with a code that tells."""
        if self._jobs and all(self._jobs):
            from normscope.surveys.bar import conclude as conclude_jobs

            _or_exit(lambda: sys.exit(conclude_jobs(self._folders)))
        if choices_of(config)["search"]:
            from normscope.searched import conclude_search

            _or_exit(lambda: sys.exit(conclude_search(Path(config.hydra.sweep.dir))))
        from normscope.overview import conclude

        experiment = choices_of(config)["experiment"]
        _or_exit(lambda: sys.exit(conclude(self._folders, experiment, Path(config.outputs))))


def _or_exit(action: Any) -> None:
    try:
        action()
    except (UsageError, OmegaConfBaseException) as error:
        print(f"normscope: {error}", file=sys.stderr)
        sys.exit(1)
    except Exception as error:  # Hydra would turn it into a warning and go on
        import traceback

        traceback.print_exc()
        sys.exit(f"normscope: this is a defect of normscope, not of your command: {error}")


def _begin_search(config: DictConfig) -> None:
    """Check what stands for all trials of a search, and leave its record in its folder."""
    from normscope.searches.record import check_record, write_search
    from normscope.searching import checked_search

    try:
        search, cells = checked_search(config, GlobalHydra.instance().config_loader())
    except HydraException as error:
        raise UsageError(str(error)) from error
    folder = Path(config.hydra.sweep.dir)
    check_record(folder, search)
    cost = check(cells, [Path(cell.hydra.sweep.dir) / cell.hydra.sweep.subdir for cell in cells], search.score)
    write_search(folder, search)
    if cost.steps:
        folds = f" of {search.folds} folds" if search.folds > 1 else ""
        print(f"{search.trials} trials{folds}, {each(cost.steps.values())}", flush=True)
