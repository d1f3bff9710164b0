"""Which runs may be compared: two of one seed that differ in their arm and in nothing else."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from normscope.differences import DATA_SEED, LENGTH, compared, differing
from normscope.runs.dotted import flat

if TYPE_CHECKING:
    from normscope.runs.reader import Run

ARM = "model/norm"
ENDED = ("finished", "diverged")  # a run that was interrupted or failed has not shown how it ends


@dataclass(frozen=True)
class Setting:
    """Runs with everything equal but the arm and the seed.

    Attributes:
        scale: they were all made at it.
        label: the model, the data and the length, and whatever sets them apart from the other settings of the scale.
        arms: option of the arm -> its runs, whatever their status, in the order of their seeds.
    """

    scale: str
    label: str
    arms: Mapping[str, "list[Run]"]


@dataclass(frozen=True)
class Pairs:
    """The pairs of one setting, in the order of their seeds.

    Attributes:
        pairs: (run of the reference arm, run of the treated arm).
        remarks: a sentence about every run that has no part in them, and about every diverged one.
    """

    scale: str
    setting: str
    pairs: "tuple[tuple[Run, Run], ...]"
    remarks: tuple[str, ...] = field(default=())

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(reference.seed for reference, _ in self.pairs)


def option(run: "Run", arm: str) -> str | None:
    """What a run has for an arm; None where it has nothing.

    Args:
        arm: a group (model/norm: the choice), a list of choices (regularizer: their names with + between them, or
            none), or a dotted key of the config (model.norm_position: its value).
    """
    if arm in run.choices:
        choice = run.choices[arm]
        return None if choice is None else str(choice)
    value: Any = run.config
    for key in arm.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, Mapping):
        return "+".join(value) or "none"
    return None if value is None else str(value)


def settings(runs: "Sequence[Run]", arm: str = ARM, free: Sequence[str] = ()) -> list[Setting]:
    """Sort runs by what may be compared.

    Args:
        arm: what sets the arms apart, see `option`; runs that have none are passed over.
        free: further arms in which the runs of a setting may differ.
    Returns:
        The settings, in the order of their scales and labels. Runs at two scales, or that differ in any choice or value
        but those of the arm, the seed, `free` and the machine (device, output folder), are never in one. Data that are
        drawn anew for every seed (`dataset.seed` equals the seed in all runs) are part of the seed.
    """
    arms = (arm, *free)
    found: dict[str, list[Run]] = {}
    for run in runs:
        if option(run, arm) is not None:
            equal = {key: value for key, value in compared(run, arms).items() if key != DATA_SEED}
            found.setdefault(json.dumps([run.scale, equal], sort_keys=True, default=str), []).append(run)
    groups = [part for group in found.values() for part in by_data(group)]
    sorted_out = [
        Setting(group[0].scale, ", ".join([_label(group[0]), *_apart(group[0], groups, arms)]), _by_arm(group, arm))
        for group in groups
    ]
    return sorted(sorted_out, key=lambda setting: (setting.scale, setting.label))


def pairs(runs: "Sequence[Run]", arm: str = ARM, reference: str = "none", treated: str = "batch") -> list[Pairs]:
    """Pair the runs of two arms by seed, setting by setting.

    A diverged run is a result and makes a pair; an interrupted or failed one, and a seed with one arm only, do not,
    and are told of in `remarks`. Of several equal runs of a seed the first folder's counts.
    """
    found = []
    for setting in settings(runs, arm):
        arms = {name: setting.arms.get(name, []) for name in (reference, treated)}
        if not any(arms.values()):
            continue
        remarks = [
            f"seed {run.seed}, {name}: {run.standing}, not used"
            for name, members in arms.items()
            for run in members
            if run.status not in ENDED
        ]
        ended = {name: _told_of(name, members, remarks) for name, members in arms.items()}
        for name, other in ((reference, treated), (treated, reference)):
            alone = [str(seed) for seed in sorted(ended[name].keys() - ended[other].keys())]
            if alone:
                remarks.append(f"seed {', '.join(alone)}: no ended run with {arm}={other}, not used")
        shared = sorted(ended[reference].keys() & ended[treated].keys())
        paired = tuple((ended[reference][seed], ended[treated][seed]) for seed in shared)
        found.append(Pairs(setting.scale, setting.label, paired, tuple(remarks)))
    return found


def one_a_seed(members: "Sequence[Run]") -> "list[Run]":
    """The runs of an arm that have ended, in the order of their seeds; of several of one seed the first folder's."""
    first: dict[int, Run] = {}
    for run in sorted(members, key=lambda run: str(run.folder)):
        if run.status in ENDED:
            first.setdefault(run.seed, run)
    return [first[seed] for seed in sorted(first)]


def by_data(group: "list[Run]") -> "list[list[Run]]":
    """Runs alike but for the seed of their data: together if it follows their own, else by its value."""
    seeds = [flat(run.config).get(DATA_SEED) for run in group]
    if all(data == run.seed for data, run in zip(seeds, group, strict=True)):
        return [group]
    parts: dict[Any, list[Run]] = {}
    for data, run in zip(seeds, group, strict=True):
        parts.setdefault(data, []).append(run)
    return list(parts.values())


def _label(run: "Run") -> str:
    steps, epochs = (run.config.get(key) for key in LENGTH)
    updates = "1 step" if steps == 1 else f"{steps:,} steps" if steps is not None else None
    length = updates or (f"{epochs:g} epochs" if epochs is not None else "no length")
    return f"{run.choices.get('model', 'no model')} on {data_of(run)}, {length}"


def data_of(run: "Run") -> str:
    """What a run was trained on, in words: the choice of the dataset group, and of class folders their name."""
    choice = str(run.choices.get("dataset", "no data"))
    root = (run.config.get("dataset") or {}).get("root")
    return f"{choice} {PurePath(root).name}" if choice == "folder" and root else choice


def _apart(run: "Run", groups: "list[list[Run]]", arms: Sequence[str]) -> list[str]:
    """What sets a setting apart from those of the same scale and label: at most three values, e.g. optimizer.lr=0.1;
    of another choice its name alone, not the values that come with it."""
    alike = [
        compared(group[0], arms) for group in groups if (group[0].scale, _label(group[0])) == (run.scale, _label(run))
    ]
    own = compared(run, arms)
    follows = {DATA_SEED} if own.get(DATA_SEED) == run.seed else set()
    told = [key for key in differing([own, *alike], run.choices) if key in own and key not in follows]
    shown = [f"{key}={own[key]}" for key in told]
    return shown[:3] + (["..."] if len(shown) > 3 else [])


def _by_arm(group: "list[Run]", arm: str) -> "dict[str, list[Run]]":
    arms: dict[str, list[Run]] = {}
    for run in sorted(group, key=lambda run: (run.seed, str(run.folder))):
        arms.setdefault(str(option(run, arm)), []).append(run)
    return arms


def _told_of(name: str, members: "list[Run]", remarks: list[str]) -> "dict[int, Run]":
    """Seed -> the ended run of an arm; who has no part is told of in the remarks."""
    for seed, count in Counter(run.seed for run in members if run.status in ENDED).items():
        if count > 1:
            remarks.append(f"seed {seed}, {name}: {count} equal runs, only the first folder's is used")
    return {run.seed: run for run in one_a_seed(members)}
