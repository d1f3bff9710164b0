"""What a search found: its trials, which settings matter, and what to do with the best."""

import csv
import io
import math
import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from normscope.errors import UsageError
from normscope.places import command
from normscope.runs.atomic import replace_file, writing
from normscope.runs.board import write_board
from normscope.searches.importance import importance
from normscope.searches.narrowed import narrowed
from normscope.searches.record import Search, Tried, read_search, trials_of
from normscope.searches.scores import in_words
from normscope.searches.space import Interval, Setting

SHOWN = 15  # trials of the table; all are in the file
LONGER = 4  # times as long as the search are the trials of the finer one
LENGTH = ("steps", "epochs")


def conclude_search(folder: Path) -> int:
    """Report on a search that has come to its end.

    Returns:
        The exit code: 130 if a trial was interrupted, 1 if one failed, else 0: to diverge is a result.
    """
    statuses = [trial.status for trial in report_search(folder, Console())]
    return 130 if "interrupted" in statuses else 1 if "failed" in statuses else 0


def report_search(folder: Path, console: Console) -> list[Tried]:
    """Print the trials, best first, and which settings matter; draw them; say what to do with the best.

    Returns:
        The trials.
    Raises:
        UsageError: if the folder holds no search, or none of its trials has ended.
    """
    from normscope.figures.look import save
    from normscope.figures.searches import search_figure

    search = read_search(folder)
    trials = trials_of(search, folder)
    if not trials:
        raise UsageError(f"{folder}: no trial of this search has ended yet; repeat the command that began it")
    scores = [trial.score for trial in trials]
    shares = {
        setting.key: importance([trial.settings[setting.key] for trial in trials], scores) for setting in search.space
    }
    console.print(trials_table(folder, search, trials))
    console.print(settings_table(search, shares))
    picture, table = folder / "search.png", folder / "trials.csv"
    with writing(picture):
        save(search_figure(search, trials, shares), picture)
    replace_file(table, as_csv(search, trials).encode())
    write_board(folder / "report", {"search": picture}, {})
    for line in [f"Picture: {picture}   All trials: {table}", *advice(folder, search, trials)]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return trials


def trials_table(folder: Path, search: Search, trials: Sequence[Tried]) -> Table:
    """The best trials, a row each."""
    rest = f", the best {SHOWN}" if len(trials) > SHOWN else ""
    of_all = "" if len(trials) == search.trials else f" of {search.trials} (the others drawn twice, or not begun)"
    table = Table(title=f"{folder}: {len(trials)} trials{of_all}{rest}", title_justify="left")
    for name in ("", search.score, *(setting.key for setting in search.space), "status", "seconds"):
        table.add_column(name, overflow="fold")
    for number, trial in enumerate(trials[:SHOWN], start=1):
        score = (
            in_words(search.score, trial.score).removeprefix(search.score).strip()
            if math.isfinite(trial.score)
            else "-"
        )
        values = [f"{value:.4g}" if isinstance(value, float) else value for value in trial.settings.values()]
        table.add_row(*(Text(cell) for cell in (str(number), score, *values, trial.status, f"{trial.seconds:.1f}")))
    return table


def settings_table(search: Search, shares: dict[str, tuple[float, float]]) -> Table:
    """How much of the scores each setting explains, the most first."""
    table = Table(
        "setting", "explains, of the ranks' variance", "", title="Which settings matter", title_justify="left"
    )
    table.columns[0].overflow = "fold"
    for key, (share, p) in sorted(shares.items(), key=lambda entry: -entry[1][0] if entry[1][0] >= 0 else 1):
        if math.isnan(share):
            table.add_row(Text(key), "-", "too few trials, all alike, or no two alike")
            continue
        table.add_row(
            Text(key), f"{100 * share:.0f} % (p = {p:.2g})", "matters" if p <= 0.05 else "no sign that it matters"
        )
    return table


def as_csv(search: Search, trials: Sequence[Tried]) -> str:
    """All trials, a row each, best first."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["score", "status", "seconds", *(setting.key for setting in search.space), "folder"])
    for trial in trials:
        writer.writerow([trial.score, trial.status, trial.seconds, *trial.settings.values(), trial.folder.name])
    return text.getvalue()


def advice(folder: Path, search: Search, trials: Sequence[Tried]) -> list[str]:
    """What to do next: go on, look closer, train the best for good."""
    lines = []
    if "interrupted" in {trial.status for trial in trials}:
        lines.append("It was interrupted; the same command goes on.")
    if not math.isfinite(trials[0].score):
        return [
            *lines,
            "No trial has a score: search where training is possible, at smaller learning rates for a start.",
        ]
    best = [f"{setting.key}={_typed(setting, trials[0])}" for setting in search.space]
    lines.append(f"To train the best for good, and score it on the test set: {_line(*search.fixed, *best)}")
    try:
        narrowed(search, trials)
        lines.append(f"To look closer, and longer: {_line(*finer(folder, search))}")
    except UsageError as error:
        lines.append(f"Not to be looked at more closely yet: {error}")
    return lines


def finer(folder: Path, search: Search) -> list[str]:
    """The words of the command that looks closer, with longer trials."""
    key = "steps" if search.config.get("steps") is not None else "epochs"
    fixed = [word for word in search.fixed if word.partition("=")[0] not in LENGTH]
    method = [f"search={search.method}", f"search.within={folder}", f"search.name={folder.name}-finer"]
    method += [f"search.{name}={getattr(search, name)}" for name in ("score", "trials", "folds")]
    return [*method, *fixed, f"{key}={LONGER * search.config[key]}"]


def _typed(setting: Setting, trial: Tried) -> str:
    value = trial.settings[setting.key]
    return setting.text(float(value)) if isinstance(setting, Interval) else str(value)


def _line(*words: str) -> str:
    return shlex.join([command("normscope"), *words])
