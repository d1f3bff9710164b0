"""What a job measures: a row of numbers at each of many points, and what follows from the whole table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from normscope.figures.look import Figure

Point = tuple[float, ...]


@dataclass(frozen=True)
class Finding:
    """What was checked, and what follows.

    Attributes:
        check: its name.
        verdict: fine; note, which is no fault; or look here.
        found, expected: with numbers and units.
        advice: what to do; "" where there is nothing.
    """

    check: str
    verdict: str
    found: str
    expected: str
    advice: str = ""


@dataclass(frozen=True)
class Conclusion:
    """What a finished table says.

    Attributes:
        sentence: with numbers and units, for the terminal.
        numbers: name -> value, such as {"train/loss/barrier": 1.9}.
        figure: the picture of the table.
        findings: of a job that checks something; one that says `look here` shows in the command's exit code.
    """

    sentence: str
    numbers: dict[str, float]
    figure: "Figure"
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Survey:
    """A job, put together and not yet begun. It can be left after any point and taken up again.

    Attributes:
        about: what is measured on how much, in words, for the terminal.
        columns: of the table: the names of a point's coordinates, then of what is measured there.
        points: in the order in which they are measured, each once.
        measure: a point -> what is found there, the same whichever points came before.
        conclude: the whole table, (points, columns) -> what it says.
    """

    about: str
    columns: tuple[str, ...]
    points: Sequence[Point]
    measure: Callable[[Point], Sequence[float]]
    conclude: Callable[[np.ndarray], Conclusion]
