"""What sets runs apart: their choices (of groups, with slashes) and values (with dots)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from normscope.runs.dotted import flat

if TYPE_CHECKING:
    from normscope.runs.reader import Run

OF_THE_MACHINE = ("device", "outputs", "checkpoint_every", "dataset.url")  # where and how a run was made, not what
LENGTH = ("steps", "epochs")
DATA_SEED = "dataset.seed"  # an experiment may let it follow the seed of the run


def compared(run: "Run", arms: Sequence[str] = ()) -> dict[str, Any]:
    """What runs of one setting agree in: all but the arms, the seed, the scale and the machine."""
    own = tuple(arm.replace("/", ".") for arm in arms)
    below = tuple(f"{key}." for key in own)
    ignored = {*OF_THE_MACHINE, "seed", "scale", *own, *arms}
    if run.choices.get("dataset") != "folder":  # there the root is the data; elsewhere a checksum says what they are
        ignored.add("dataset.root")
    everything = {**flat(run.config), **run.choices}
    return {key: value for key, value in everything.items() if key not in ignored and not key.startswith(below)}


def differing(settings: Sequence[Mapping[str, Any]], choices: Mapping[str, Any]) -> list[str]:
    """The keys in which some of these settings differ, sorted; of another choice its name alone, not what it brings.

    Args:
        settings: see `compared`; choices: which of the keys are choices of groups.
    """
    keys = [key for key in sorted(set().union(*settings)) if not key.endswith(("_target_", "_partial_"))]
    different = [key for key in keys if len({str(of.get(key)) for of in settings}) > 1]
    groups = [key for key in different if key in choices]
    return [key for key in different if not any(_brought(key, group, settings) for group in groups)]


def _brought(key: str, group: str, settings: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a value comes with the choice of a group: it is the group's, and one for each of its options."""
    if not key.startswith(f"{group.replace('/', '.')}."):
        return False
    values: dict[str, set[str]] = {}
    for of in settings:
        values.setdefault(str(of.get(group)), set()).add(str(of.get(key)))
    return all(len(found) == 1 for found in values.values())


def told_apart(runs: "Sequence[Run]") -> list[dict[str, str]]:
    """Of each run its value of every setting in which these runs differ; "" where it has none.

    The seed and the length are left out: they stand beside it wherever this is shown.
    Of a list of choices (regularizer) it is their names with + between them.
    """
    lists = [_lists(run) for run in runs]
    settings = [{**compared(run), **names} for run, names in zip(runs, lists, strict=True)]
    choices = {
        key: value for run, names in zip(runs, lists, strict=True) for key, value in (run.choices | names).items()
    }
    keys = [key for key in differing(settings, choices) if key not in (DATA_SEED, *LENGTH)] if settings else []
    return [{key: "" if own.get(key) is None else str(own[key]) for key in keys} for own in settings]


def _lists(run: "Run") -> dict[str, str]:
    groups = {group: of for group, of in run.config.items() if isinstance(of, Mapping) and group not in run.choices}
    return {group: "+".join(of) or "none" for group, of in groups.items()}
