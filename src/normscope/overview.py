"""What a sweep says at its end."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from normscope.errors import UsageError
from normscope.places import command
from normscope.runs.summary import read_summary


def conclude(folders: list[Path], experiment: str | None, outputs: Path) -> int:
    """Print a table of the sweep's runs; then, for an experiment, draw its figure and state its verdicts.

    Returns:
        The exit code: 130 if a run was interrupted, 1 if one failed, 3 if one diverged, else 0.
    """
    console = Console()
    table = Table("run", "status", "steps", "train loss", "test accuracy", "minutes", title=f"{len(folders)} runs")
    table.columns[0].overflow = "fold"
    statuses = []
    for folder in folders:
        summary = _summary(folder)
        statuses.append(summary["status"])
        metrics = summary.get("metrics", {})
        table.add_row(
            folder.name,
            summary["status"] + (f": {summary['reason']}" if summary.get("reason") else ""),
            f"{summary.get('step', 0):,}",
            f"{metrics['train/loss']:.3f}" if "train/loss" in metrics else "",
            f"{100 * metrics['test/accuracy']:.1f} %" if "test/accuracy" in metrics else "",
            f"{summary.get('seconds', 0) / 60:.1f}",
        )
    console.print(table)
    if experiment is not None and any(status in ("finished", "diverged") for status in statuses):
        from normscope.report import report

        report(experiment, outputs, console)
    else:
        console.print(f"To look at the curves: {command('tensorboard')} --logdir {outputs / (experiment or 'single')}")
    for status, code in (("interrupted", 130), ("failed", 1), ("diverged", 3)):
        if status in statuses:
            return code
    return 0


def _summary(folder: Path) -> dict[str, Any]:
    try:
        return read_summary(folder) or {"status": "failed", "reason": "no summary.json: not begun, or killed"}
    except UsageError as error:
        return {"status": "failed", "reason": str(error)}
