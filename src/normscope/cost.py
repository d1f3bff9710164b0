"""What a sweep costs, before it starts and while it runs."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path


class Cost:
    """The runs of a sweep that are still to be trained, in their order, and the pace at which that goes."""

    def __init__(self, steps: Mapping[Path, int], done: int) -> None:
        """
        Args:
            steps: of each run that is to be trained; done: how many others are over already.
        """
        self.steps = {folder.resolve(): count for folder, count in steps.items()}
        self.done = done
        self._first: tuple[float, int] | None = None  # when the first step was told, and which of all it was

    def seconds_left(self, folder: Path, step: int) -> float | None:
        """Until the last run ends, at the pace since the first step of this command.

        Args:
            folder: of the run that is being trained; step: that it has made.
        Returns:
            None as long as there is no pace, or where the sweep does not know the run.
        """
        if folder.resolve() not in self.steps:
            return None
        behind = list(self.steps).index(folder.resolve())
        position = sum(list(self.steps.values())[:behind]) + step
        now = time.perf_counter()
        if self._first is None:
            self._first = now, position
        start, first = self._first
        if position == first:
            return None
        return (now - start) / (position - first) * (sum(self.steps.values()) - position)

    def __str__(self) -> str:
        """In words, such as "42 runs to train, 250 steps each, 10,500 in all (3 more are done)"."""
        done = f" ({self.done} more {'is' if self.done == 1 else 'are'} done)" if self.done else ""
        if not self.steps:
            return f"nothing to train{done}"
        count = len(self.steps)
        runs = f"{count} run{'s' if count > 1 else ''} to train"
        return f"{runs}, {each(self.steps.values())}" + (f", {sum(self.steps.values()):,} in all" * (count > 1)) + done


def each(steps: Iterable[int]) -> str:
    """How long the runs are: "250 steps each", or "250 to 1,500 steps each"."""
    least, most = min(steps), max(steps)
    if least < most:
        return f"{least:,} to {most:,} steps each"
    return f"{least:,} step{'s' if least > 1 else ''} each"


def clock(seconds: float) -> str:
    """Hours, minutes and seconds: 4:05, 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


_of_this_process: list[Cost] = []  # of the sweep that it carries out; none in a launcher's worker process


def begin(cost: Cost) -> None:
    """Let the runs of this process know of their sweep."""
    _of_this_process[:] = [cost]


def current() -> Cost | None:
    """The sweep that this process carries out."""
    return _of_this_process[0] if _of_this_process else None
