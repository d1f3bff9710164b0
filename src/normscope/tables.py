"""Verdicts and runs as tables: for the terminal, as markdown, as JSON."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from normscope import __version__
from normscope.claims import Verdict
from normscope.differences import told_apart
from normscope.runs.atomic import replace_file

if TYPE_CHECKING:
    from normscope.runs.reader import Run

HOW_TO_READ = (
    "A pair: two runs of one seed that differ in the arm alone. The interval is the percentile bootstrap of the median "
    "over the pairs; of fewer than six it says less than 95 %. Reproduced: the threshold holds for the median and in "
    "5 of 5, 7 of 8, ... pairs (one-sided sign test, p <= 0.05). Contradicted: the median points the other way, and as "
    "many pairs do. Everything else is undecided."
)
COLUMNS = ("claim", "statement", "paper", "ours, median [95 % interval]", "pairs that hold", "scale", "verdict")
LAST = {
    "train/loss": "last training loss",
    "validation/accuracy": "last validation accuracy",
    "test/accuracy": "last test accuracy",
}
STYLES = {"reproduced": "bold green", "contradicted": "bold red", "undecided": "bold yellow", "not run": "dim"}


def runs_table(experiment: str, runs: "Sequence[Run]") -> Table:
    """The runs that a report is made of, with how each ended."""
    table = Table(
        "run",
        "scale",
        "status",
        "steps",
        title=f"{experiment}: {len(runs)} run{'' if len(runs) == 1 else 's'}",
        title_justify="left",
    )
    for run in runs:
        status = run.status + (f": {run.summary['reason']}" if run.summary.get("reason") else "")
        table.add_row(*(Text(cell) for cell in (run.folder.name, run.scale, status, f"{run.summary.get('step', 0):,}")))
    return table


def verdicts_table(experiment: str, verdicts: Sequence[Verdict]) -> Table:
    """A row for each claim at each scale."""
    table = Table(title=f"Verdicts on {experiment}", title_justify="left", show_lines=True, expand=True)
    for name, ratio in (("claim", 9), ("paper", 5), ("ours, median [95 %]", 5)):
        table.add_column(name, ratio=ratio)
    for name in ("pairs", "scale", "verdict"):
        table.add_column(name)
    for verdict in verdicts:
        table.add_row(
            Text.assemble((f"{verdict.claim} ", "bold"), verdict.statement, (f"\n{verdict.setting}".rstrip(), "dim")),
            Text(verdict.paper),
            Text(ours(verdict)),
            Text(f"{verdict.holds} of {verdict.n}" if verdict.n else "0"),
            Text(verdict.scale),
            Text(verdict.verdict, STYLES[verdict.verdict]),
        )
    return table


def ours(verdict: Verdict) -> str:
    """The effect with its interval and unit, e.g. "<= 0.12 [0.09, 0.15] x the steps"."""
    if math.isnan(verdict.effect):
        return "-"
    interval = f"[{number(verdict.low)}, {number(verdict.high)}]"
    if verdict.low == -math.inf and verdict.high == math.inf:
        interval = f"(no interval of {verdict.n} pair{'' if verdict.n == 1 else 's'})"
    bound = f"{verdict.bound} " if verdict.bound and math.isfinite(verdict.effect) else ""
    return f"{bound}{number(verdict.effect)} {interval} {verdict.unit}"


def number(value: float) -> str:
    """Three digits that count."""
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: "-∞"}.get(value, "-")
    return f"{float(f'{value:.3g}'):,.10g}" if 1e-4 <= abs(value) < 1e6 else f"{value:.3g}"


def notes(verdicts: Iterable[Verdict]) -> list[str]:
    """A line for each verdict that something is to be said about."""
    return [f"{verdict.claim} at {where(verdict)}: {verdict.note}" for verdict in verdicts if verdict.note]


def where(verdict: Verdict) -> str:
    """The scale and the setting that a verdict is about."""
    return ", ".join(text for text in (verdict.scale, verdict.setting) if text)


def write_page(
    path: Path, experiment: str, figures: Sequence[Path], verdicts: Sequence[Verdict], runs: "Sequence[Run]"
) -> None:
    """Write the verdicts as a markdown page, and as JSON beside it."""
    replace_file(path, _markdown(experiment, figures, verdicts, runs).encode())
    found = {
        "experiment": experiment,
        "normscope": __version__,
        "figures": [figure.name for figure in figures],
        "verdicts": [plain(asdict(verdict)) for verdict in verdicts],
        "runs": plain(_facts(runs)),
    }
    replace_file(path.with_suffix(".json"), (json.dumps(found, indent=2, allow_nan=False) + "\n").encode())


def write_overview(path: Path, judged: Mapping[str, Sequence[Verdict]]) -> None:
    """Write one table of the verdicts of several experiments, each linked to its page.

    Args:
        path: beside the experiments' folders; judged: experiment -> its verdicts.
    """
    rows = [
        [f"[{experiment}]({experiment}/{Path(experiment).name}.md)", *_cells(verdict)]
        for experiment, verdicts in judged.items()
        for verdict in verdicts
    ]
    lines = ["# Verdicts", "", *markdown_rows(["experiment", *COLUMNS], rows), "", HOW_TO_READ]
    replace_file(path, ("\n".join(lines) + "\n").encode())


def plain(value: Any) -> Any:
    """JSON has no infinity and no nan: "inf", "-inf" and null."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value


def _markdown(experiment: str, figures: Sequence[Path], verdicts: Sequence[Verdict], runs: "Sequence[Run]") -> str:
    pictures = [f"![{figure.stem}]({figure.name})" for figure in figures]
    lines = [f"# {experiment}", "", *pictures, ""]
    if verdicts:
        lines += ["## Verdicts", "", card(verdicts), "", HOW_TO_READ, ""]
    facts = _facts(runs)
    settings = facts[0]["settings"] if facts else {}
    columns = {name: name for name in ("run", "scale", "seed", *settings, "status")} | {"step": "steps"}
    columns |= {name: title for name, title in LAST.items() if any(name in of["metrics"] for of in facts)}
    columns |= {name: name for name in ("device", "precision", "commit")}
    rows = ([_cell({**of, **of["settings"], **of["metrics"]}.get(name, "")) for name in columns] for of in facts)
    lines += ["## Runs", "", *markdown_rows(list(columns.values()), rows)]
    return "\n".join(lines) + "\n"


def card(verdicts: Sequence[Verdict]) -> str:
    """The table of verdicts, its notes and the effect of every seed, as markdown."""
    lines = markdown_rows(COLUMNS, map(_cells, verdicts))
    lines += ["", *(f"- {note}" for note in notes(verdicts))]
    lines += [
        f"- {verdict.claim} at {where(verdict)}, by seed: "
        + ", ".join(f"{seed}: {number(effect)}" for seed, effect in verdict.effects)
        for verdict in verdicts
        if verdict.effects
    ]
    return "\n".join(lines)


def _cells(verdict: Verdict) -> list[str]:
    """A verdict under COLUMNS."""
    return [
        verdict.claim,
        verdict.statement,
        verdict.paper,
        ours(verdict),
        f"{verdict.holds} of {verdict.n}",
        where(verdict),
        f"**{verdict.verdict}**",
    ]


def markdown_rows(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a markdown table."""
    cells = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]


def _cell(value: Any) -> str:
    return number(value) if isinstance(value, float) else str(value)


def _facts(runs: "Sequence[Run]") -> list[dict[str, Any]]:
    """What each run was, in which settings it differs from the others, and how it ended."""
    return [
        {
            "run": run.folder.name,
            "scale": run.scale,
            "seed": run.seed,
            "settings": settings,
            "status": run.status,
            "step": run.summary.get("step", 0),
            "metrics": run.summary.get("metrics", {}),
            "device": run.summary.get("device"),
            "precision": run.summary.get("precision"),
            "commit": str(run.summary.get("git_commit") or "unknown")[:12]
            + (" and changes" if run.summary.get("git_dirty") else ""),
            "config_hash": run.summary.get("config_hash"),
        }
        for run, settings in zip(runs, told_apart(runs), strict=True)
    ]
