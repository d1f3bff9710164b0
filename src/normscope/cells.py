"""The runs of a command, and whether each of them can be carried out."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig

from normscope.composed import LISTS, choices_of, config_of, job_of, missing_keys
from normscope.cost import Cost
from normscope.disk import check_disk
from normscope.errors import UsageError
from normscope.pairs import ENDED
from normscope.preflight import check_config
from normscope.runs.folder import config_hash
from normscope.runs.summary import read_summary
from normscope.start import check_start

MANY = 10  # runs whose check takes seconds
T = TypeVar("T")


def chosen_by_hydra(config: DictConfig) -> bool:
    """Whether the runs of a sweep are those that the command lists, known before the first of them."""
    return str(config.hydra.sweeper._target_).endswith(".BasicSweeper")


def cells_of(config: DictConfig) -> list[DictConfig]:
    """The config of each run of a sweep; of the base alone where another sweeper than Hydra's own chooses the runs."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    if not chosen_by_hydra(config):
        return [config]
    loader = GlobalHydra.instance().config_loader()
    arguments = [f"{key}={value}" for key, value in (config.hydra.sweeper.params or {}).items()]
    arguments += list(config.hydra.overrides.task)
    try:
        overrides = OverridesParser.create(config_loader=loader).parse_overrides(arguments)
        asked = [list(cell) for batch in BasicSweeper.split_arguments(overrides, None) for cell in batch]
        return [loader.load_sweep_config(config, cell) for cell in followed(asked, "composing")]
    except HydraException as error:
        range_alone = "; a range is searched, with search=random" if "INTERVAL_SWEEP" in str(error) else ""
        raise UsageError(f"{error}{range_alone}") from error


def followed(items: Sequence[T], doing: str) -> Iterable[T]:
    """The items, with a progress bar while they are gone through if they are many and the output is a terminal."""
    if len(items) < MANY:
        return items
    from rich.console import Console
    from rich.progress import track

    console, title = Console(), f"  {doing} {len(items)} runs"
    return track(items, title, console=console, transient=True, disable=not console.is_terminal)


def check(cells: list[DictConfig], folders: list[Path], score: str = "") -> Cost:
    """First everything that needs no PyTorch, for all runs; then put each kind of run together once and rehearse it.

    Args:
        score: by which a search chooses.
    Returns:
        What is to be trained.
    """
    for cell, folder in zip(cells, folders, strict=True):
        if missing := missing_keys(cell):
            raise UsageError(f"{missing[0]} has no default; give it: {missing[0]}=VALUE{_which_runs(cell)}")
        config = config_of(cell)
        check_config(config | {"job": job_of(cell)})
        _check_lists(cell, config)
        if job_of(cell):
            _check_job(cell, folder)
    if len(set(folders)) < len(folders):
        raise UsageError("two runs of this sweep have the same config: a value is listed twice")
    for parent in {folder.parent for folder in folders}:
        check_disk(parent)
    for cell, folder in zip(cells, folders, strict=True):
        if not job_of(cell) and not ended_as(folder, config_of(cell)):
            check_start(config_of(cell), choices_of(cell))

    steps: dict[str, int] = {}  # of each kind of run, once it is rehearsed
    ahead = {}
    for cell, folder in followed(list(zip(cells, folders, strict=True)), "checking"):
        if job_of(cell):
            _put_together(cell, folder)
            continue
        config = config_of(cell)
        if ended_as(folder, config):
            continue
        from normscope.assemble import assemble
        from normscope.rehearsal import rehearse
        from normscope.training.recording import score_names

        kind = str(config | {"seed": None})
        if kind not in steps:
            job = assemble(config, choices_of(cell))
            steps[kind] = job.plan.steps
            scores = score_names(job.held_out, job.trainee.task)
            if score and score not in scores:
                raise UsageError(f"search.score={score}: not among the scores of such a run, {', '.join(scores)}")
            rehearse(job)
        ahead[folder] = steps[kind]
    return Cost(ahead, sum(not job_of(cell) for cell in cells) - len(ahead))


def ended_as(folder: Path, config: Mapping[str, Any]) -> str:
    """How the run of a config ended in its folder, finished or diverged, so that it is skipped; "" if it has not.

    Raises:
        UsageError: if something else has ended in the folder, or its summary cannot be read.
    """
    summary = read_summary(folder) or {}
    if summary.get("status") not in ENDED:
        return ""
    if summary.get("config_hash") != config_hash(config):
        raise UsageError(f"{folder} holds the results of another config; choose another folder by hydra.run.dir=DIR")
    return str(summary["status"])


def _check_lists(cell: DictConfig, config: Mapping[str, Any]) -> None:
    """Refuse a setting of a probe or regularizer that is not chosen, which would change nothing."""
    for override in cell.hydra.overrides.task:
        group, *name = override.partition("=")[0].lstrip("+").split(".")[:2]
        if group in LISTS and name and name[0] not in config[group]:
            chosen = ",".join([*config[group], name[0]])
            raise UsageError(f"{override}: {name[0]} is not chosen; choose it as well, with {group}=[{chosen}]")


def _check_job(cell: DictConfig, folder: Path) -> None:
    """Refuse settings that a job takes from its runs, runs that it cannot read, and a folder that is a run's."""
    from normscope.surveys.names import reads_runs
    from normscope.surveys.sources import sources

    name = cell.hydra.runtime.choices["job"]
    for override in cell.hydra.overrides.task if reads_runs(job_of(cell)) else ():
        key = override.partition("=")[0].lstrip("+~")
        if key.partition(".")[0] not in ("job", "device", "outputs"):
            raise UsageError(
                f"{override}: job={name} takes its settings from the run that it reads; leave {key} out, or give "
                "job.KEY, device, outputs"
            )
    sources(job_of(cell), Path(cell.outputs))
    if (folder / "config.yaml").exists():
        raise UsageError(f"{folder} holds a run, which job={name} would write into; choose another hydra.run.dir=DIR")


def _put_together(cell: DictConfig, folder: Path) -> None:
    """Open a job's runs, or rehearse the one that it is about, and let it check its options, unless it is done."""
    from normscope.surveys.folder import is_done, origin_of
    from normscope.surveys.names import reads_runs
    from normscope.surveys.sources import sources

    job, config = job_of(cell), config_of(cell)
    runs = sources(job, Path(cell.outputs))
    if is_done(folder, origin_of(str(cell.hydra.runtime.choices["job"]), job, runs, config)):
        return
    if reads_runs(job):
        from normscope.reopened import survey_of

        survey_of(job, runs, cell.device)
    else:
        from normscope.assemble import assemble
        from normscope.beginnings import survey_before
        from normscope.rehearsal import rehearse

        rehearse(assemble(config | {"probe": {}}, choices_of(cell)))
        survey_before(job, config, choices_of(cell))


def _which_runs(cell: DictConfig) -> str:
    """Where a job lacks its run: which there are."""
    if not job_of(cell):
        return ""
    from normscope.surveys.sources import known

    return f"; {known(Path(cell.outputs))}"
