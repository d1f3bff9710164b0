"""What a sweep says at its end."""

import shlex
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from normscope.errors import UsageError
from normscope.places import command
from normscope.runs.summary import read_summary


def conclude(folders: list[Path], experiment: str | None, outputs: Path) -> int:
    """Print a table of the sweep's runs; then, for an experiment, draw its figure and state its verdicts.

    Returns:
        The exit code: 130 if a run was interrupted, 1 if one failed, 3 if one diverged, else 0.
    """
    console = Console()
    table = Table("run", "status", "steps", "train loss", "test", "minutes", title=f"{len(folders)} runs")
    table.columns[0].overflow = "fold"
    statuses = []
    for folder in folders:
        summary = _summary(folder)
        statuses.append(summary["status"])
        metrics = summary.get("metrics", {})
        row = (
            folder.name,
            summary["status"] + (f": {summary['reason']}" if summary.get("reason") else ""),
            f"{summary.get('step', 0):,}",
            in_words(metrics["train/loss"]) if "train/loss" in metrics else "",
            _tested(metrics),
            f"{summary.get('seconds', 0) / 60:.1f}",
        )
        table.add_row(*map(Text, row))  # a reason may hold brackets, which are no markup
    console.print(table)
    if experiment is not None and any(status in ("finished", "diverged") for status in statuses):
        from normscope.reported import report

        report(experiment, outputs, console)
    else:
        words = shlex.join([command("tensorboard"), "--logdir", str(outputs / (experiment or "single"))])
        console.print(f"To look at the curves: {words}", markup=False, highlight=False, soft_wrap=True)
    for status, code in (("interrupted", 130), ("failed", 1), ("diverged", 3)):
        if status in statuses:
            return code
    return 0


def in_words(loss: float) -> str:
    """Three decimals as long as they show something, else three digits."""
    return f"{loss:.3f}" if 0.01 <= abs(loss) < 1000 or loss == 0 else f"{loss:.3g}"


def _tested(metrics: dict[str, float]) -> str:
    """The test accuracy, or the test loss of regression."""
    if "test/accuracy" in metrics:
        return f"{100 * metrics['test/accuracy']:.1f} %"
    return f"loss {in_words(metrics['test/loss'])}" if "test/loss" in metrics else ""


def _summary(folder: Path) -> dict[str, Any]:
    try:
        return read_summary(folder) or {"status": "failed", "reason": "no summary.json: not begun, or killed"}
    except UsageError as error:
        return {"status": "failed", "reason": str(error)}
