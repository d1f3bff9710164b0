"""The runs of one arm and seed over all values of a swept setting, for claims about ranges, counts and best values."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from normscope.pairs import ARM, ENDED, Pairs, Setting, flat, settings

if TYPE_CHECKING:
    from normscope.runs.reader import Run


@dataclass(frozen=True)
class Family:
    """What stands in a pair for a run, where a claim is about all values of a setting.

    Attributes:
        members: value of the setting -> run, in the order of the values; each ended, finished or diverged.
        status: its own is always finished; the members have theirs.
    """

    seed: int
    members: "Mapping[Any, Run]"
    status: str = "finished"


def families(
    runs: "Sequence[Run]", over: str, arm: str = ARM, reference: str = "none", treated: str = "batch"
) -> list[Pairs]:
    """Pair by seed the families of two arms, setting by setting.

    A seed that lacks a run with any of the values that the other seeds have makes no pair, and is told of in `remarks`.

    Args:
        over: the setting that is swept within a family, with dots, e.g. init.std.
    """
    found = []
    for setting in settings(runs, arm, over=over):
        values = sorted({_value(run, over) for name in (reference, treated) for run in setting.arms.get(name, [])})
        if not values:
            continue
        arms = [_by_seed(setting, name, over) for name in (reference, treated)]
        whole, remarks = [], []
        for seed in sorted(arms[0].keys() | arms[1].keys()):
            first, second = (Family(seed, own.get(seed, {})) for own in arms)
            if list(first.members) == list(second.members) == values:
                whole.append((first, second))
            else:
                ended = f"{len(first.members)} and {len(second.members)} of {len(values)}"
                remarks.append(f"seed {seed}: runs with {ended} values of {over} have ended, not used")
        found.append(Pairs(setting.scale, setting.label, tuple(whole), tuple(remarks)))  # type: ignore[arg-type]
    return found


def _by_seed(setting: Setting, arm: str, over: str) -> "dict[int, dict[Any, Run]]":
    """Seed -> value -> ended run, in the order of the values; of several equal runs the first folder's."""
    found: dict[int, dict[Any, Run]] = {}
    for run in sorted(setting.arms.get(arm, []), key=lambda run: (_value(run, over), str(run.folder))):
        if run.status in ENDED:
            found.setdefault(run.seed, {}).setdefault(_value(run, over), run)
    return found


def _value(run: "Run", over: str) -> Any:
    value = flat(run.config).get(over)
    return value if isinstance(value, int | float) else json.dumps(value)
