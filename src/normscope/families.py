"""Runs that differ in one setting, taken together: how many learning rates train, which weight scales learn."""

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from normscope.pairs import ENDED, flat
from normscope.runs.reader import Run


@dataclass(frozen=True, eq=False)
class Family(Run):
    """The runs of one arm and one seed that differ in one setting; it is paired as the one run that it stands for.

    Its config is what they have in common, with all values in the place of the one: families of other values are
    another setting. Folder, choices and summary are those of the first.

    Attributes:
        members: value -> run, in the order of the values.
    """

    members: dict[float, Run]

    @property
    def status(self) -> str:
        """finished if all have ended, whether they diverged or not; else how the first of the others stands."""
        open_ones = [run.status for run in self.members.values() if run.status not in ENDED]
        return open_ones[0] if open_ones else "finished"


def families(runs: Sequence[Run], along: str) -> list[Family]:
    """Take together the runs that differ in a number of the config and in nothing else but their folders.

    Args:
        along: its dotted key, such as optimizer.lr; runs without it are passed over.
    """
    found: dict[str, dict[float, Run]] = {}
    for run in runs:
        config = flat(run.config)
        value = config.pop(along, None)
        if isinstance(value, int | float):
            what = json.dumps([config, run.choices], sort_keys=True, default=str)
            found.setdefault(what, {})[value] = run
    return [_family(along, dict(sorted(members.items()))) for members in found.values()]


def members(run: Run) -> dict[float, Run]:
    """Value -> run, of a family.

    Raises:
        TypeError: of a run that is none.
    """
    if not isinstance(run, Family):
        raise TypeError(f"{run.folder} is a single run; take runs together by families(runs, along)")
    return run.members


def count(meets: Callable[[Run], bool]) -> Callable[[Run], float]:
    """Of a family, how many runs meet a condition; one that diverged does not."""
    return lambda family: float(sum(run.status == "finished" and meets(run) for run in members(family).values()))


def largest(meets: Callable[[Run], bool]) -> Callable[[Run], float]:
    """Of a family, the largest value whose run meets a condition; 0 if none does."""
    return lambda family: max(
        (float(value) for value, run in members(family).items() if run.status == "finished" and meets(run)),
        default=0.0,
    )


def spread(quantity: Callable[[Run], float], worst: float) -> Callable[[Run], float]:
    """Of a family, the largest minus the smallest value of a quantity; a diverged run has the worst."""

    def of(family: Run) -> float:
        values = [worst if run.status == "diverged" else quantity(run) for run in members(family).values()]
        return max(values) - min(values)

    return of


def _family(along: str, members: dict[float, Run]) -> Family:
    first = next(iter(members.values()))
    config = deepcopy(first.config)
    *path, last = along.split(".")
    node: dict[str, Any] = config
    for key in path:
        node = node[key]
    node[last] = ", ".join(f"{value:g}" for value in members)
    return Family(first.folder, config, first.choices, first.summary, members)
