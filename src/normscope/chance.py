"""The plateau of guessing, on which a network does not train yet."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from normscope.quantities import steps_until_below

if TYPE_CHECKING:
    from normscope.runs.reader import Run

LEFT, WINDOW = 0.1, 5  # nats below the loss of guessing; logged batches


def at_chance(first: float, last: float, classes: int = 10) -> Callable[["Run"], str]:
    """Why a part of a run says nothing of how a network trains: for half of it the loss is that of guessing.

    A gradient of next to nothing neither shifts nor changes, whatever the landscape beyond it. A run has left the
    plateau where the mean of five logged training losses falls 0.1 nats below ln(classes).

    Args:
        first, last: the part, as shares of the run's updates.
    Returns:
        run -> the reason, "" where there is none.
    """
    leaves = steps_until_below("train/loss", math.log(classes) - LEFT, WINDOW)

    def reason(run: "Run") -> str:
        middle = (first + last) / 2 * run.summary["step"]
        return f"{run.folder.name} is still at chance at step {middle:,.0f}" if leaves(run) > middle else ""

    return reason
