"""A job in its folder: go on from where it stands, measure, and leave the results behind."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from normscope.errors import UsageError
from normscope.runs.atomic import writing
from normscope.runs.board import write_board
from normscope.runs.folder import locked
from normscope.runs.reader import Run
from normscope.runs.summary import environment, finite, read_summary, write_summary
from normscope.surveys.findings import as_markdown
from normscope.surveys.names import options_of, reads_runs
from normscope.surveys.sources import fingerprints
from normscope.surveys.survey import Survey
from normscope.surveys.table import Rows, Table, read_rows
from normscope.training.interruption import interruption

Progress = Callable[[int], None]  # told the number of points that are measured


def origin_of(name: str, job: Mapping[str, Any], runs: Sequence[Run], config: Mapping[str, Any]) -> dict[str, Any]:
    """What a job's results follow from: its name, its options, and the runs as they are now, or, where it reads none,
    the command's own config."""
    of = {"runs": fingerprints(runs)} if reads_runs(job) else {"config": dict(config)}
    return {"job": name, "options": options_of(job), **of}


def is_done(folder: Path, origin: Mapping[str, Any]) -> bool:
    """Whether the folder holds the results of this very job, on these runs as they are now."""
    summary = read_summary(folder) or {}
    is_this = summary.get("status") == "finished" and summary.get("of") == finite(origin)
    return is_this and (folder / summary["picture"]).is_file()


def carry_out(survey: Survey, origin: Mapping[str, Any], folder: Path, progress: Progress) -> dict[str, Any]:
    """Measure every point that is not measured yet, then draw and conclude.

    The folder gets `NAME.csv` (the table), `NAME.png`, TensorBoard's file with the picture, and `summary.json`, NAME
    being the job's. A killed job goes on from the rows of the table.

    Returns:
        What `summary.json` says.
    Raises:
        UsageError: if another process works in the folder, or it cannot be written.
    """
    began = time.perf_counter()
    with locked(folder):
        path = folder / f"{origin['job']}.csv"
        known = (read_summary(folder) or {}).get("of") == finite(origin)
        rows = read_rows(path, survey.columns, survey.points) if known else {}
        summary: dict[str, Any] = {
            "status": "interrupted",
            "reason": "killed, or still measuring",
            "of": origin,
            "went_on_from": len(rows),
        }
        write_summary(folder, summary)
        try:
            summary["reason"] = _measure(survey, rows, path, progress)
            if not summary["reason"]:
                table = np.array([[*point, *rows[point]] for point in survey.points])
                summary |= {"status": "finished", **_conclude(survey, table, origin["job"], folder)}
        except UsageError as error:
            summary |= {"status": "failed", "reason": str(error)}
            raise
        except Exception as error:
            summary |= {"status": "failed", "reason": f"{type(error).__name__}: {error}"}
            raise
        finally:
            summary |= {"seconds": time.perf_counter() - began, **environment()}
            write_summary(folder, summary)
    return summary


def _measure(survey: Survey, rows: Rows, path: Path, progress: Progress) -> str:
    """Fill the table; returns why it was left, or ""."""
    with interruption() as interrupted, Table(path, survey.columns, rows) as table:
        for point in survey.points:
            if interrupted():
                return f"stopped by {interrupted()} after {len(rows)} of {len(survey.points)} points"
            if point not in rows:
                rows[point] = tuple(survey.measure(point))
                table.add(point, rows[point])
            progress(len(rows))
    return ""


def _conclude(survey: Survey, table: np.ndarray, name: str, folder: Path) -> dict[str, Any]:
    """Draw the picture, show it in TensorBoard; returns what the summary says of it."""
    from normscope.figures.look import save

    conclusion = survey.conclude(table)
    picture = folder / f"{name}.png"
    with writing(picture):
        save(conclusion.figure, picture)
    values = [f"| {key} | {value:.6g} |" for key, value in conclusion.numbers.items()]
    card = "\n".join([f"{survey.about}: {conclusion.sentence}", "", "| quantity | value |", "| --- | --- |", *values])
    cards = {name: card}
    found: dict[str, Any] = {"sentence": conclusion.sentence, "metrics": conclusion.numbers, "picture": picture.name}
    if conclusion.findings:
        cards["verdicts"] = as_markdown(conclusion.findings)
        found["findings"] = [asdict(finding) for finding in conclusion.findings]
    write_board(folder, {name: picture}, cards)
    return {"reason": "", **found}
