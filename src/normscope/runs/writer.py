"""What a run writes while it trains: TensorBoard's event file and series.csv."""

import contextlib
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
from tensorboard.compat.proto.summary_pb2 import Summary
from torch.utils.tensorboard.summary import custom_scalars, histogram_raw, text

from normscope.errors import UsageError
from normscope.runs.atomic import writing
from normscope.runs.events import EventFile, event_files, rewind_events
from normscope.runs.hparams import STATUSES, session_end, session_start
from normscope.runs.series import SeriesFile, rewind_series

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

SECONDS_UNSEEN = 10.0  # at most so long does a number wait in memory before TensorBoard can see it


class RunWriter:
    """Appends to the records of one run; the caller holds the folder's lock.

    Begun at start_step > 0, the run goes on from a checkpoint: whatever an earlier process wrote for that step and
    later ones is taken out, so that every series has each step once, however that process ended. `flush` before a
    checkpoint is what makes the earlier steps safe.

    A series gets its steps in increasing order. Numbers are Python floats; TensorBoard keeps 32 bits of them.
    """

    def __init__(self, folder: Path, start_step: int = 0) -> None:
        """Take the records back to `start_step` and open them.

        Raises:
            UsageError: if the folder cannot be written, or what the run should go on from is missing.
        """
        if start_step > 0 and not event_files(folder):
            raise UsageError(
                f"{folder} has no event file of TensorBoard, but the run goes on from step {start_step}; "
                "bring it back, or delete the folder to start the run over"
            )
        self._folder = folder
        self._start_step = start_step
        self._last: dict[str, int] = {}  # series -> the step that it stands at
        self._cards: set[str] = set()
        self._is_session = self._is_closed = False
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            rewind_series(folder, start_step)
            self._earlier_cards = rewind_events(folder, start_step)
            self._series = SeriesFile(folder)
            self._events = EventFile(folder, start_step)
        self.flush()

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Write numbers of one step by name, e.g. {"train/loss": 2.3}.

        Raises:
            ValueError: if a name cannot be kept in a table, or has that step already.
        """
        if not values:
            return
        self._check_order(step, values)
        with writing(self._folder):
            self._series.add(step, values)
            self._add(Summary(value=[Summary.Value(tag=name, simple_value=x) for name, x in values.items()]), step)

    def histogram(
        self, step: int, name: str, edges: "ArrayLike", counts: "ArrayLike", total: float, total_squares: float
    ) -> None:
        """Write counts (B,) of values between edges (B+1,), the first the smallest and the last the largest value.

        Args:
            total, total_squares: Σx and Σx² of the values.
        Raises:
            ValueError: if there is not one edge more than counts, or the name has that step already.
        """
        limits, bars = np.asarray(edges, dtype=float).tolist(), np.asarray(counts, dtype=float).tolist()
        if len(limits) != len(bars) + 1:
            raise ValueError(f"{name}: {len(limits)} edges for {len(bars)} counts; give {len(bars) + 1} edges")
        self._check_order(step, [name])
        # TensorBoard keeps a bucket's upper limit only: an empty bucket in front keeps the first edge.
        summary = histogram_raw(
            name,
            limits[0],
            limits[-1],
            sum(bars),
            total,
            total_squares,
            bucket_limits=limits,
            bucket_counts=[0.0, *bars],
        )
        with writing(self._folder):
            self._add(summary, step)

    def text(self, name: str, markdown: str) -> None:
        """Write a text card, once a name; a run that goes on has it already."""
        self._add_card(text(name, markdown))

    def bands(self, charts: Mapping[str, tuple[str, str, str]]) -> None:
        """Let TensorBoard draw bands: title -> the names of the series (value, lower, upper).

        All charts in one call: TensorBoard keeps one layout a run.
        """
        if not charts:
            return
        layout = {"bands": {title: ["Margin", list(names)] for title, names in charts.items()}}
        self._add_card(custom_scalars(layout))

    def hparams(self, settings: Mapping[str, object]) -> None:
        """Give the run its row in the HPARAMS tab: flat settings, e.g. {"optimizer.lr": 0.01}."""
        self._is_session = True
        self._add_card(session_start(settings))

    def flush(self) -> None:
        """Put all that was written on the disk; called before every checkpoint.

        Raises:
            UsageError: if the disk is full.
        """
        with writing(self._folder):
            self._series.sync()
            self._events.sync()
        self._seen = time.monotonic()

    def close(self, status: str) -> None:
        """Say how the run ended (finished, diverged, interrupted, failed) and close the files; once.

        An interrupted run's row in HPARAMS stays open, as a killed one's does: it goes on another time.
        """
        if status not in (*STATUSES, "interrupted"):
            raise ValueError(f"status ({status!r}) must be one of {', '.join(STATUSES)}, interrupted")
        if self._is_closed:
            return
        self._is_closed = True
        try:
            if self._is_session and status in STATUSES:
                self._events.add(session_end(status), 0)
            self.flush()
        finally:
            for file in (self._series, self._events):
                with contextlib.suppress(OSError):  # `flush` has told of a full disk
                    file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self.close("finished")
            return
        with contextlib.suppress(UsageError):  # the first error is the one to show
            self.close("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")

    def _add(self, summary: Summary, step: int) -> None:
        self._events.add(summary, step)
        if time.monotonic() - self._seen > SECONDS_UNSEEN:
            self._series.flush()
            self._events.flush()
            self._seen = time.monotonic()

    def _add_card(self, summary: Summary) -> None:
        tag = summary.value[0].tag
        if tag in self._cards:
            raise ValueError(
                f"{tag} was written already, and TensorBoard keeps one; write it once, with everything in it"
            )
        self._cards.add(tag)
        if tag not in self._earlier_cards:
            with writing(self._folder):
                self._events.add(summary, 0)

    def _check_order(self, step: int, names: Iterable[str]) -> None:
        for name in names:
            if name not in self._last and ("," in name or not name.isprintable()):
                raise ValueError(f"{name!r} cannot name a series: it would split a row of the table; leave commas out")
            last = self._last.get(name, self._start_step - 1)
            if step <= last:
                raise ValueError(f"{name}: step {step} does not come after {last}; write each step once, in order")
            self._last[name] = step
