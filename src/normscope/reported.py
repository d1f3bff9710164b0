"""What is reported on an experiment: its figures and its claims' verdicts."""

import json
import shlex
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from rich.console import Console

from normscope import tables
from normscope.claims import Verdict
from normscope.errors import UsageError
from normscope.experiment_files import arms_of, drawn_as, known, loaded, needs_runs, runs_behind, source_of
from normscope.pairs import ENDED
from normscope.places import command
from normscope.runs.atomic import writing
from normscope.runs.board import write_board
from normscope.runs.reader import Run, find_runs

EXAMPLE = "seminar/bn_vs_no_bn"


def report(experiment: str, outputs: Path, console: Console | None = None) -> Path:
    """Draw an experiment's figure, write its verdicts beside it and print them.

    Args:
        experiment: as in `experiment=...`, the runs of one arm stand for all; outputs: the folder of all runs.
        console: where to print; the terminal if None.
    Returns:
        The path of the figure (the first, if the runs need several), or of the experiment's folder if it has none.
    Raises:
        UsageError: if the experiment is unknown, has no runs or none that ended, or the folder cannot be written.
    """
    console = console or Console()
    experiment = drawn_as(experiment)
    return conclude(experiment, runs_of(experiment, outputs, console), outputs, console)[0]


def runs_of(experiment: str, outputs: Path, console: Console) -> list[Run]:
    """The runs of an experiment, whatever their status; folders that cannot be read are told of.

    Raises:
        UsageError: if there is none.
    """
    source = runs_behind(experiment)
    runs = readable(outputs, source, console)
    if runs or not needs_runs(experiment):
        return runs
    if experiment not in known():
        raise UsageError(f"{experiment!r} is neither a folder nor an experiment; those known are {', '.join(known())}")
    raise UsageError(
        f"{outputs.absolute()} holds no runs of {source} (folders with a config.yaml and a summary.json); name another "
        f"folder by --outputs DIR, or make some: normscope experiment={arms_of(source)[0]} scale=laptop dataset=sample"
    )


def conclude(experiment: str, runs: Sequence[Run], outputs: Path, console: Console) -> tuple[Path, Sequence[Verdict]]:
    """The figures and verdicts of an experiment's runs; returns the first figure's path, or the folder's, and them."""
    folder = outputs / experiment
    page = folder / f"{folder.name}.md"
    if not any(run.status in ENDED for run in runs) and needs_runs(experiment):
        raise UsageError(f"{experiment}: no run has ended ({len(runs)} begun); repeat the command that began them")
    figures: list[Path] = []
    verdicts: Sequence[Verdict] = []
    if (source := source_of(experiment)).exists():
        module = loaded(source)
        verdicts = module.claims(runs)
        figures = draw(module, runs, folder)
        tables.write_page(page, experiment, figures, verdicts, runs)
        write_board(folder / "report", {path.stem: path for path in figures}, {"verdicts": tables.card(verdicts)})
        if verdicts:
            console.print(tables.verdicts_table(experiment, verdicts))
        for note in tables.notes(verdicts):
            console.print(note, markup=False, highlight=False)
        for path in figures:
            say(console, f"Figure: {path}")
        say(console, f"Verdicts: {page}, {page.with_suffix('.json').name}")
    else:
        say(console, f"{experiment} has no figure of its own ({source} does not exist).")
    logs = outputs / runs_behind(experiment)
    say(console, f"To look at the runs: {shlex.quote(command('tensorboard'))} --logdir {shlex.quote(str(logs))}")
    return figures[0] if figures else folder, verdicts


def draw(module: ModuleType, runs: Sequence[Run], folder: Path) -> list[Path]:
    """Draw one figure for each scale and data set among the runs; the names tell which, where there are several.

    An experiment that compares data sets says ONE_FIGURE = True, and has one figure for each scale.
    """
    from normscope.figures.look import save

    parts: dict[tuple[str, str], list[Run]] = {}
    across = getattr(module, "ONE_FIGURE", False)
    for run in runs:
        if run.status in ENDED:
            parts.setdefault((run.scale, "" if across else str(run.choices.get("dataset"))), []).append(run)
    parts = parts or {("", ""): []}  # drawn without runs
    earlier = _drawn_before(folder)
    paths = []
    for (scale, dataset), members in sorted(parts.items()):
        words = [folder.name]
        words += [scale] if len({other for other, _ in parts}) > 1 else []
        words += [dataset] if len({data for other, data in parts if other == scale}) > 1 else []
        paths.append(folder / ("-".join(words) + ".png"))
        figure = module.plot(members)
        with writing(paths[-1]):
            save(figure, paths[-1])
    for stale in earlier.difference(paths):  # of when the runs were of fewer scales, or of more
        stale.unlink(missing_ok=True)
    return paths


def _drawn_before(folder: Path) -> set[Path]:
    """The figures of the last report, by its own record: other pictures in the folder are the user's."""
    try:
        record = json.loads((folder / f"{folder.name}.json").read_text())
    except (OSError, ValueError):
        return set()
    return {folder / Path(name).name for name in record.get("figures", [])}


def say(console: Console, text: str) -> None:
    """Print a line that holds a path or a command: not wrapped, not coloured."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def readable(outputs: Path, experiment: str | None, console: Console) -> list[Run]:
    """The runs of an experiment, or of all; folders that cannot be read are told of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        runs = find_runs(outputs, experiment)
    for warning in caught:
        say(console, str(warning.message))
    return runs
