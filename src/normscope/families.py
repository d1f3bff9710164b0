"""Runs that differ in one setting, taken together: how many learning rates train, which weight scales learn."""

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from normscope.differences import DATA_SEED, compared
from normscope.pairs import ENDED, by_data
from normscope.runs.dotted import flat
from normscope.runs.reader import Run


@dataclass(frozen=True, eq=False)
class Family(Run):
    """The runs of one arm and one seed that differ in one setting; it is paired as the one run that it stands for.

    Its config is what they have in common, with all values that its arm should have in the place of the one: families
    of other values are another setting. Folder, choices and summary are those of the first.

    Attributes:
        members: value -> run, in the order of the values.
        lacking: the values without a run in words, such as "optimizer.lr=0.1"; "" where there is none.
    """

    members: dict[float, Run]
    lacking: str = ""

    @property
    def status(self) -> str:
        """finished if all have ended, whether they diverged or not; else how the first of the others stands; or
        incomplete."""
        if self.lacking:
            return "incomplete"
        return self._open[0].status if self._open else "finished"

    @property
    def standing(self) -> str:
        """Why it has not ended: a value without a run, or how far the first run came that has not."""
        if self.lacking:
            return f"no run with {self.lacking}"
        return self._open[0].standing if self._open else self.status

    @property
    def _open(self) -> list[Run]:
        return [run for run in self.members.values() if run.status not in ENDED]


def families(runs: Sequence[Run], along: str) -> list[Family]:
    """Take together the runs that differ in a number of the config and, but for the machine, in nothing else.

    The values of an arm are those that at least half of its seeds have. A seed that lacks one is an incomplete family;
    what it has beyond them is left out.

    Args:
        along: its dotted key, such as optimizer.lr; runs without it are passed over.
    """
    arms: dict[str, list[Run]] = {}
    for run in runs:
        if isinstance(flat(run.config).get(along), int | float):
            equal = {key: value for key, value in compared(run, (along,)).items() if key != DATA_SEED}
            arms.setdefault(json.dumps([run.scale, equal], sort_keys=True, default=str), []).append(run)
    found = []
    for arm in arms.values():
        for alike in by_data(arm):
            seeds: dict[int, dict[float, Run]] = {}
            for run in alike:
                seeds.setdefault(run.seed, {}).setdefault(flat(run.config)[along], run)
            found += [_family(along, members, _values([*seeds.values()])) for members in seeds.values()]
    return found


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


def best(quantity: Callable[[Run], float]) -> Callable[[Run], float]:
    """Of a family, the largest value of a quantity; a diverged run has none. -infinity if all diverged, nan where a run
    that did not lacks the quantity."""

    def of(family: Run) -> float:
        values = [quantity(run) for run in members(family).values() if run.status != "diverged"]
        return float(np.max(values, initial=-math.inf))

    return of


def spread(quantity: Callable[[Run], float], worst: float) -> Callable[[Run], float]:
    """Of a family, the largest minus the smallest value of a quantity; a diverged run has the worst. nan where a run
    lacks the quantity."""

    def of(family: Run) -> float:
        values = [worst if run.status == "diverged" else quantity(run) for run in members(family).values()]
        return float(np.max(values) - np.min(values))

    return of


def _values(seeds: Sequence[Mapping[float, Run]]) -> list[float]:
    """The values that at least half of the seeds have; all, where there are none such."""
    counts = Counter(value for members in seeds for value in members)
    return sorted(value for value, count in counts.items() if 2 * count >= len(seeds)) or sorted(counts)


def _family(along: str, members: Mapping[float, Run], values: Sequence[float]) -> Family:
    own = {value: members[value] for value in values if value in members}
    first = next(iter({**own, **members}.values()))
    config = deepcopy(first.config)
    *path, last = along.split(".")
    node: dict[str, Any] = config
    for key in path:
        node = node[key]
    node[last] = ", ".join(f"{value:g}" for value in values)
    lacking = (
        f"{along}={' or '.join(f'{value:g}' for value in values if value not in own)}"
        if own.keys() < set(values)
        else ""
    )
    return Family(first.folder, config, first.choices, first.summary, own, lacking)
