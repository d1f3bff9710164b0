"""The page of all choices, docs/choices.md, read from the files of configs/ and the docstrings behind them.

`python -m normscope.choices > docs/choices.md` writes it anew.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from normscope.places import CONFIGS
from normscope.signatures import docstring_of

INTRODUCTION = """\
# Choices

What can be chosen, group by group: `GROUP=NAME` on the command line, `regularizer=[NAME,NAME]` and `probe=[NAME,NAME]`
for lists. A choice's parameters are set beside it, e.g. `optimizer=adam optimizer.lr=0.003`, `model.norm.momentum=0.01`
or `regularizer.l2.loss.strength=1e-4`; `normscope --cfg job ...` shows where each one stands. This page is made from
[configs/](../configs) and the docstrings of the functions that they name (`python -m normscope.choices`).
"""
KEPT_BACK = ("_target_", "_partial_", "defaults", "hydra")


def page() -> str:
    """The whole page as markdown."""
    groups: dict[str, list[Path]] = {}
    for path in sorted(CONFIGS.rglob("*/*.yaml")):
        groups.setdefault(path.parent.relative_to(CONFIGS).as_posix(), []).append(path)
    parts, heads = [INTRODUCTION], ["| choice | what | source | parameters |", "| --- | --- | --- | --- |"]
    for group, paths in groups.items():
        rows = [f"| `{path.stem}` | {' | '.join(_cells(path))} |" for path in paths]
        parts.append("\n".join([f"## {group}", "", *heads, *rows, ""]))
    return "\n".join(parts)


def _cells(path: Path) -> tuple[str, str, str]:
    """What a choice is, where it comes from, and what can be set."""
    text = path.read_text()
    comments = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# ")]
    source = next(line for line in comments if not line.startswith("@package"))
    config = yaml.safe_load(text) or {}
    own = [target for target in _targets(config) if target.startswith("normscope.") and ".when." not in target]
    what = "<br>".join(dict.fromkeys(_described(docstring) for docstring in map(docstring_of, own) if docstring))
    return tuple(_cell(cell) for cell in (what, source, ", ".join(_parameters(config))))  # type: ignore[return-value]


def _described(docstring: str) -> str:
    """The first sentence of a docstring and the equations that follow it, which stand indented."""
    description = re.split(r"\n(?:Args|Returns|Raises|Attributes):", inspect.cleandoc(docstring))[0]
    sentence = " ".join(description.split("\n\n")[0].split())
    equations = [line.strip() for line in description.splitlines() if line.startswith("    ")]
    return "<br>".join([sentence, *(f"`{line}`" for line in equations)])


def _targets(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        if "_target_" in node:
            yield node["_target_"]
        for value in node.values():
            yield from _targets(value)


def _parameters(node: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for key, value in node.items():
        if key in KEPT_BACK:
            continue
        if isinstance(value, Mapping):
            yield from _parameters(value, f"{path}{key}.")
        else:
            yield f"{path}{key}={_plain(value)}"


def _plain(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
