"""Runs that differ in one setting, taken together: how many learning rates train, which weight scales learn."""

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normscope.pairs import ENDED, flat

if TYPE_CHECKING:
    from normscope.runs.reader import Run


@dataclass(frozen=True, eq=False)
class Family:
    """The runs of one arm and one seed that differ in one setting; to `pairs` it looks like a single run.

    Attributes:
        along: the setting, a dotted key of the config such as optimizer.lr.
        members: value -> run, in the order of the values.
    """

    along: str
    members: "dict[Any, Run]"

    @property
    def first(self) -> "Run":
        """One of them, for what they have in common."""
        return next(iter(self.members.values()))

    @property
    def seed(self) -> int:
        return self.first.seed

    @property
    def scale(self) -> str:
        return self.first.scale

    @property
    def folder(self) -> Path:
        return self.first.folder

    @property
    def choices(self) -> dict[str, Any]:
        return self.first.choices

    @cached_property
    def config(self) -> dict[str, Any]:
        """What all have in common, and the values that there are: families of other values are another setting."""
        config = deepcopy(self.first.config)
        *path, last = self.along.split(".")
        node = config
        for key in path:
            node = node[key]
        node[last] = ", ".join(f"{value:g}" for value in self.members)
        return config

    @property
    def summary(self) -> dict[str, Any]:
        return self.first.summary

    @property
    def status(self) -> str:
        """finished if all have ended, whether they diverged or not; else how the first of the others stands."""
        open_ones = [run.status for run in self.members.values() if run.status not in ENDED]
        return open_ones[0] if open_ones else "finished"


def families(runs: "Sequence[Run]", along: str) -> list[Family]:
    """Take together the runs that differ in a number of the config and in nothing else but their folders.

    Args:
        along: its dotted key, such as optimizer.lr; runs without it are passed over.
    """
    found: dict[str, dict[Any, Run]] = {}
    for run in runs:
        config = flat(run.config)
        value = config.pop(along, None)
        if isinstance(value, int | float):
            what = json.dumps([config, run.choices], sort_keys=True, default=str)
            found.setdefault(what, {})[value] = run
    return [Family(along, dict(sorted(members.items()))) for members in found.values()]


def count(meets: "Callable[[Run], bool]") -> Callable[[Family], float]:
    """Of a family, how many runs meet a condition; one that diverged does not."""
    return lambda family: float(sum(run.status == "finished" and meets(run) for run in family.members.values()))


def largest(meets: "Callable[[Run], bool]") -> Callable[[Family], float]:
    """Of a family, the largest value whose run meets a condition; 0 if none does."""
    return lambda family: max(
        (float(value) for value, run in family.members.items() if run.status == "finished" and meets(run)), default=0.0
    )


def spread(quantity: "Callable[[Run], float]", worst: float) -> Callable[[Family], float]:
    """Of a family, the largest minus the smallest value of a quantity; a diverged run has the worst."""

    def of(family: Family) -> float:
        values = [worst if run.status == "diverged" else quantity(run) for run in family.members.values()]
        return max(values) - min(values)

    return of
