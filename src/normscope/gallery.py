"""The page of all results, docs/gallery.md, and the README's table of verdicts, read from experiments/*/results.

`python -m normscope.gallery > docs/gallery.md` writes the page anew, `python -m normscope.gallery table` the table.
"""

import json
import math
import os
import sys
from collections.abc import Collection, Iterator
from itertools import groupby
from pathlib import Path

from normscope.claims import Verdict
from normscope.places import CHECKOUT, EXPERIMENTS
from normscope.tables import markdown_rows, ours

INTRODUCTION = """\
# Gallery

Every figure that was drawn of runs that are recorded here, with what the paper says and what was measured. A verdict
compares paired runs of several seeds with a threshold that was fixed before any of them: reproduced if the median and
5 of 5, 7 of 8, ... pairs meet it, contradicted if as many point the other way, and undecided else, always below five
pairs. The experiments' pages have the commands, what differs from the paper and what it means; the files beside
the figures have every run with its commit. This page is made from them (`python -m normscope.gallery`).
"""
VERDICTS = ("reproduced", "contradicted", "undecided")


def page() -> str:
    """The whole page as markdown."""
    parts = [INTRODUCTION, table("../")]
    for folder in _with_results():
        parts.append(f"## {_title(folder)}\n\n[What was run and what it means](../{_shown(folder)}/README.md)\n")
        parts += [_picture(figure) for figure in sorted((folder / "results").rglob("*.png"))]
    return "\n".join(parts)


def table(up: str = "") -> str:
    """For the README: a row a paper with the claims of each verdict; `up`: the way from the page to its folder."""
    rows = []
    for folder in _with_results():
        found = [verdict for report in _reports(folder) for verdict in verdicts_of(report)]
        if found:
            claims = (_names(found, verdict) for verdict in VERDICTS)
            rows.append(f"| [{_title(folder)}]({up}{_shown(folder)}/README.md) | {' | '.join(claims)} |\n")
    return "| paper | " + " | ".join(VERDICTS) + " |\n" + "| --- " * 4 + "|\n" + "".join(rows)


def _names(found: list[Verdict], verdict: str) -> str:
    """The claims of a verdict, those of the same scales together: "K1 (laptop, paper); K2, C1: 3 of 12 (laptop)"."""
    scales: dict[str, list[str]] = {}
    for one in found:
        if one.verdict == verdict and one.scale not in scales.setdefault(one.claim, []):
            scales[one.claim].append(one.scale)
    claims: dict[str, list[str]] = {}
    for claim, at in sorted(scales.items()):
        claims.setdefault(", ".join(sorted(at)), []).append(claim)
    everywhere = {one.claim for one in found}
    return "; ".join(f"{', '.join(_in_short(names, everywhere))} ({at})" for at, names in claims.items())


def _in_short(names: list[str], everywhere: Collection[str]) -> Iterator[str]:
    """Claims by name; those that are more than two parts of one, such as "C1, tanh, He", by their number."""
    for claim, own in groupby(names, key=_claim):
        parts = list(own)
        whole = sum(_claim(name) == claim for name in everywhere)
        several = f"{claim}: all {whole}" if len(parts) == whole else f"{claim}: {len(parts)} of {whole}"
        yield from [several] if len(parts) > 2 else [part.replace(",", "") for part in parts]


def _claim(name: str) -> str:
    return name.partition(",")[0]


def _picture(figure: Path) -> str:
    """A figure, and below it its verdicts, if it has a report beside it; of one of several scales, NAME-SCALE.png, the
    verdicts at that scale."""
    lines = [f"### {_name(figure)}", "", f"![{_name(figure)}](../{_shown(figure)})", ""]
    name, *words = figure.stem.split("-")
    report = figure.with_name(f"{name}.json")
    found = verdicts_of(report) if report.exists() else []
    scales = {verdict.scale for verdict in found}
    of_figure = scales.intersection(words) or scales
    judged = [verdict for verdict in found if verdict.n and verdict.scale in of_figure]
    if judged:
        lines += markdown_rows(
            ["claim", "paper", "ours, median [95 % interval]", "pairs that hold", "runs", "verdict"],
            [
                [
                    f"**{verdict.claim}** {verdict.statement}",
                    verdict.paper,
                    ours(verdict),
                    f"{verdict.holds} of {verdict.n}",
                    ", ".join(text for text in (verdict.scale, verdict.setting) if text),
                    f"**{verdict.verdict}**",
                ]
                for verdict in judged
            ],
        )
        lines += [""]
    return "\n".join(lines)


def verdicts_of(report: Path) -> list[Verdict]:
    """The verdicts that a report's JSON holds; the inverse of how `tables.plain` writes them."""
    verdicts = []
    for found in json.loads(report.read_text()).get("verdicts", []):
        numbers = {key: _number(found[key]) for key in ("effect", "low", "high")}
        effects = tuple((seed, _number(effect)) for seed, effect in found["effects"])
        verdicts.append(Verdict(**found | numbers | {"effects": effects}))
    return verdicts


def _number(value: float | str | None) -> float:
    return math.nan if value is None else float(value)


def _with_results() -> Iterator[Path]:
    return (folder for folder in sorted(EXPERIMENTS.iterdir()) if (folder / "results").is_dir())


def _reports(folder: Path) -> list[Path]:
    return sorted((folder / "results").rglob("*.json"))


def _title(folder: Path) -> str:
    return (folder / "README.md").read_text().partition("\n")[0].removeprefix("# ")


def _name(figure: Path) -> str:
    """What a figure shows, by its place: "bn_vs_no_bn, full width"."""
    results = next(parent for parent in figure.parents if parent.name == "results")
    *folders, name = figure.relative_to(results).with_suffix("").parts
    return ", ".join(part.replace("_", " ") for part in (*name.split("-"), *folders))


def _shown(path: Path) -> str:
    return Path(os.path.relpath(path, CHECKOUT)).as_posix()


if __name__ == "__main__":
    print(table() if sys.argv[1:] == ["table"] else page(), end="")
