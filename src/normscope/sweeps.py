"""Before the first run and after the last one: Hydra's callback."""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from normscope.composed import choices_of, config_of, missing_keys
from normscope.errors import UsageError
from normscope.preflight import check_config

FREE_BYTES = 500_000_000  # a run's checkpoint twice over, its series and TensorBoard's events


class Sweep(Callback):
    """Checks every run of a command before the first one starts, and says at the end how they all went.

    Hydra swallows exceptions in callbacks, but not SystemExit: that is how a mistake ends the command.
    """

    def __init__(self) -> None:
        self._folders: list[Path] = []

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Check the one run."""
        _or_exit(lambda: _check([config], [Path(config.hydra.run.dir)]))

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Compose and check all runs of the sweep."""

        def check() -> None:
            cells = _cells(config)
            self._folders = [Path(config.hydra.sweep.dir) / cell.hydra.sweep.subdir for cell in cells]
            _check(cells, self._folders)

        _or_exit(check)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Print a table of all runs, draw the experiment's figure if there is one, and leave with a code that tells."""
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


def _cells(config: DictConfig) -> list[DictConfig]:
    """The config of each run of a sweep; of the base alone where another sweeper than Hydra's own chooses the runs."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.errors import HydraException

    if not config.hydra.sweeper._target_.endswith(".BasicSweeper"):
        return [config]
    loader = GlobalHydra.instance().config_loader()
    arguments = [f"{key}={value}" for key, value in (config.hydra.sweeper.params or {}).items()]
    arguments += list(config.hydra.overrides.task)
    try:
        overrides = OverridesParser.create(config_loader=loader).parse_overrides(arguments)
        batches = BasicSweeper.split_arguments(overrides, None)
        return [loader.load_sweep_config(config, list(cell)) for batch in batches for cell in batch]
    except HydraException as error:
        raise UsageError(str(error)) from error


def _check(cells: list[DictConfig], folders: list[Path]) -> None:
    """First everything that needs no PyTorch, for all runs; then put each kind of run together once and rehearse it."""
    for cell in cells:
        if missing := missing_keys(cell):
            raise UsageError(f"{missing[0]} has no default; give it: {missing[0]}=VALUE")
        check_config(config_of(cell))
    if len(set(folders)) < len(folders):
        raise UsageError("two runs of this sweep have the same config: a value is listed twice")
    for parent in {folder.parent for folder in folders}:
        _check_disk(parent)

    from normscope.assemble import assemble
    from normscope.rehearsal import rehearse
    from normscope.runs.summary import read_summary

    rehearsed = set()
    for cell, folder in zip(cells, folders, strict=True):
        if (read_summary(folder) or {}).get("status") in ("finished", "diverged"):
            continue
        config = config_of(cell)
        kind = str(config | {"seed": None})
        if kind not in rehearsed:
            rehearsed.add(kind)
            rehearse(assemble(config, choices_of(cell)))


def _check_disk(folder: Path) -> None:
    """Refuse a folder of runs that cannot be written to, or a disk that is all but full."""
    existing = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise UsageError(f"{folder}: {existing} cannot be written to; give another folder: outputs=DIR")
    free = shutil.disk_usage(existing).free
    if free < FREE_BYTES:
        raise UsageError(
            f"{folder}: the disk has {free / 1e6:.0f} MB left, a run may need {FREE_BYTES / 1e6:.0f} MB; "
            "make room or give another folder: outputs=DIR"
        )
