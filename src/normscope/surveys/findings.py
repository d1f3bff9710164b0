"""The verdicts of a job that checks something, as a table for the terminal and as markdown, and where they are kept."""

from collections.abc import Iterable, Mapping
from dataclasses import astuple
from typing import Any

from rich.table import Table
from rich.text import Text

from normscope.surveys.survey import Finding

HEADER = ("check", "verdict", "found", "expected", "what to do")
STYLES = {"fine": "bold green", "note": "bold yellow", "look here": "bold red"}
LOOK_HERE = "look here"


def findings_in(summary: Mapping[str, Any]) -> list[Finding]:
    """What a job's `summary.json` says; empty where it checked nothing or has not finished."""
    return [Finding(**finding) for finding in summary.get("findings", [])]


def status_of(summary: Mapping[str, Any]) -> str:
    """The status of a job, which is `look here` where it finished and a check failed."""
    failed = any(finding.verdict == LOOK_HERE for finding in findings_in(summary))
    return LOOK_HERE if failed else str(summary["status"])


def as_table(findings: Iterable[Finding]) -> Table:
    """A row for each check."""
    table = Table(show_lines=True)
    for name in HEADER:
        table.add_column(name, no_wrap=name in HEADER[:2])
    for finding in findings:
        check, verdict, *rest = astuple(finding)
        table.add_row(Text(check, "bold"), Text(verdict, STYLES[verdict]), *map(Text, rest))
    return table


def as_markdown(findings: Iterable[Finding]) -> str:
    """The same for TensorBoard's TEXT tab."""
    rows = [HEADER, ("---",) * len(HEADER), *map(astuple, findings)]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
