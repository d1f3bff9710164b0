"""How a job shows itself in the terminal."""

import shlex
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from normscope.errors import UsageError
from normscope.places import command
from normscope.runs.summary import read_summary
from normscope.surveys import folder as job_folder
from normscope.surveys.findings import LOOK_HERE, as_table, findings_in, status_of
from normscope.surveys.survey import Survey


@contextmanager
def shown(folder: Path, survey: Survey, device: str) -> Iterator[job_folder.Progress]:
    """A header, then a progress bar with the time that is left, or a line every tenth of the points where the output is
    no terminal.

    Yields:
        The function that a job tells its progress.
    """
    console = Console()
    total = len(survey.points)
    console.print(str(folder), style="bold", markup=False, highlight=False, soft_wrap=True)
    console.print(f"  {survey.about}, {device}", markup=False, highlight=False)
    bar = Progress(
        TextColumn("  {task.completed:,.0f}/{task.total:,.0f} points"), BarColumn(20), TimeRemainingColumn(),
        TextColumn("left"), console=console, disable=not console.is_terminal, transient=True,
    )  # fmt: skip
    began, first = time.perf_counter(), 0
    with bar:
        task = bar.add_task("", total=total)

        def tell(done: int) -> None:
            nonlocal began, first
            if first == 0:  # what an earlier process measured says nothing about this one's pace
                began, first = time.perf_counter(), done
            if console.is_terminal:
                bar.update(task, completed=done)
            elif done % max(1, total // 10) == 0 and done > first:
                left = (time.perf_counter() - began) / (done - first) * (total - done)
                console.print(f"  {done:,} of {total:,} points, {left:,.0f} s left", highlight=False)

        yield tell


def tell(folder: Path, console: Console | None = None) -> str:
    """Print what a finished job found: its verdicts if it has some, a sentence, and where the picture is.

    Returns:
        finished, or `look here` where a check failed.
    Raises:
        UsageError: if it has not finished.
    """
    console = console or Console()
    summary = read_summary(folder) or {}
    if summary.get("status") != "finished":
        raise UsageError(f"{folder}: this job is {summary.get('status', 'not begun')}; repeat its command to go on")
    if findings := findings_in(summary):
        console.print(as_table(findings))
    lines = [
        f"  finished: {summary['sentence']}, {summary['seconds']:,.0f} s",
        f"Picture: {folder / summary['picture']} (numbers: {summary['of']['job']}.csv, summary.json)",
    ]
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return status_of(summary)


def conclude(folders: Sequence[Path]) -> int:
    """Print what each job of a sweep found.

    Returns:
        The exit code: 130 if one was interrupted, 1 if one failed, 4 if a check says `look here`, else 0.
    """
    console = Console()
    table = Table("job", "status", "result", "minutes", title=f"{len(folders)} jobs")
    table.columns[0].overflow = "fold"
    statuses = []
    for folder in folders:
        try:
            summary = read_summary(folder) or {"status": "failed", "reason": "not begun"}
        except UsageError as error:
            summary = {"status": "failed", "reason": str(error)}
        statuses.append(status_of(summary))
        result = summary.get("sentence") or summary.get("reason", "")
        row = folder.name, summary["status"], result, f"{summary.get('seconds', 0) / 60:.1f}"
        table.add_row(*map(Text, row))
    console.print(table)
    say_where(sorted({folder.parent for folder in folders}), console)
    for status, code in (("interrupted", 130), ("failed", 1), (LOOK_HERE, 4)):
        if status in statuses:
            return code
    return 0


def say_where(folders: Sequence[Path], console: Console | None = None) -> None:
    """Print the command that shows the pictures of folders of jobs in TensorBoard."""
    console = console or Console()
    for folder in folders:
        words = shlex.join([command("tensorboard"), "--logdir", str(folder)])
        line = f"To look at it beside others (IMAGES): {words}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
