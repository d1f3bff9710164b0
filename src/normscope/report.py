"""The command `normscope-report`: figures and verdicts of experiments, and pictures of what probes found."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from normscope import tables
from normscope.claims import Verdict
from normscope.errors import UsageError
from normscope.experiment_files import drawn_as, known, runs_behind
from normscope.reported import EXAMPLE, conclude, readable, runs_of, say
from normscope.runs.summary import read_summary
from normscope.searches.record import FILE as SEARCH


def main(argv: Sequence[str] | None = None) -> int:
    """Report on the experiments or runs that are named, or on all that have runs; returns the exit code, 0 or 1."""
    options = _parser().parse_args(argv)
    console, refusals = Console(), list[UsageError]()
    judged: dict[str, Sequence[Verdict]] = {}
    folders: list[Path] = []
    names: list[str] = []
    with told(refusals):
        folders, names = asked(options.names, options.outputs)
    runs = []
    for folder in folders:
        with told(refusals):
            runs += [] if say_again(folder, console) else [folder]
    if runs:
        from normscope.observed import observe

        with told(refusals):
            observe(runs, options.outputs, console)
    for name in names:
        with told(refusals):
            own = runs_of(name, options.outputs, console)
            if own:
                console.print(tables.runs_table(name, own))
            _, judged[name] = conclude(name, own, options.outputs, console)
    if not options.names and judged:
        page = options.outputs / "verdicts.md"
        with told(refusals):
            tables.write_overview(page, judged)
            say(console, f"All verdicts: {page}")
    return 1 if refusals else 0


@contextmanager
def told(refusals: list[UsageError]) -> Iterator[None]:
    """Print what is refused, keep it, and let the rest go on."""
    try:
        yield
    except UsageError as error:
        print(f"normscope-report: {error}", file=sys.stderr)
        refusals.append(error)


def asked(names: Sequence[str], outputs: Path) -> tuple[list[Path], list[str]]:
    """The folders and the experiments that are named; without a name all searches, and all experiments with runs.

    Raises:
        UsageError: if nothing is named and there is nothing.
    """
    if names:
        folders = [Path(name) for name in names if name not in known() and Path(name).is_dir()]
        experiments = [name for name in names if Path(name) not in folders]
    else:
        folders = sorted(path.parent for path in outputs.glob(f"search/*/{SEARCH}"))
        experiments = with_runs(outputs, needed=not folders)
    return folders, list(dict.fromkeys(map(drawn_as, experiments)))


def say_again(folder: Path, console: Console) -> bool:
    """Print what a search or a job found; returns whether the folder holds one."""
    if (folder / SEARCH).exists():
        from normscope.searched import report_search

        report_search(folder, console)
        return True
    if "of" in (read_summary(folder) or {}):
        from normscope.surveys.bar import tell

        tell(folder, console)
        return True
    return False


def with_runs(outputs: Path, *, needed: bool) -> list[str]:
    """The experiments that have runs below a folder.

    Raises:
        UsageError: if none has, and one is needed.
    """
    names = {run.choices.get("experiment") for run in readable(outputs, None, Console(stderr=True))}
    experiments = sorted(
        {name for name in known() if runs_behind(name) in names} | {str(name) for name in names if name}
    )
    if needed and not experiments:
        raise UsageError(
            f"{outputs.absolute()} holds no runs of any experiment; name their folder by --outputs DIR, or make some: "
            f"normscope experiment={EXAMPLE} scale=laptop dataset=sample"
        )
    return experiments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="normscope-report",
        description="Draw the figures of experiments and state their claims' verdicts; or draw what the probes of a "
        "run found, or of several side by side; or say again what a job or a search found.",
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="EXPERIMENT|RUN|JOB|SEARCH",
        help=f"an experiment as in experiment=..., e.g. {EXAMPLE}; or folders of runs, best a pair, of jobs, searches",
    )
    parser.add_argument("--outputs", type=Path, default=Path("outputs"), metavar="DIR", help="the folder of all runs")
    return parser
