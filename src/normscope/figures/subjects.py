"""Runs that are drawn side by side: what tells them apart, and the colour of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from normscope.errors import UsageError
from normscope.figures.look import ARM_COLOURS, arm_colour, arm_name
from normscope.runs.dotted import values

if TYPE_CHECKING:
    from normscope.runs.reader import Run

MOST = 4  # lines that one can still tell apart where each is a band
NOT_SHOWN = ("outputs", "device", "checkpoint_every")


@dataclass(frozen=True)
class Subject:
    """A run with its name and colour in a picture."""

    label: str
    colour: str
    run: "Run"


def subjects(runs: "Sequence[Run]") -> list[Subject]:
    """Name each run by what sets it apart from the others: its norm if that does, else the settings that differ.

    Raises:
        UsageError: if there are more than can be told apart.
    """
    if len(runs) > MOST:
        raise UsageError(f"{len(runs)} runs are too many for one picture; name at most {MOST}, best a pair")
    norms = [str(run.choices.get("model/norm")) for run in runs]
    if len(set(norms)) == len(runs):
        return [Subject(arm_name(norm), arm_colour(norm), run) for norm, run in zip(norms, runs, strict=True)]
    settings = [values({"choices": run.choices, **run.config}) for run in runs]
    keys = [key for key in settings[0] if key not in NOT_SHOWN and len({str(of.get(key)) for of in settings}) > 1]
    palette = list(ARM_COLOURS.values())
    return [
        Subject(_apart(own, keys) or run.folder.name, palette[place], run)
        for place, (own, run) in enumerate(zip(settings, runs, strict=True))
    ]


def _apart(own: Mapping[str, Any], keys: Sequence[str]) -> str:
    return ", ".join(f"{key.rpartition('.')[2]}={own.get(key)}" for key in keys[:3])
