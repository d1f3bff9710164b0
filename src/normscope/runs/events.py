"""TensorBoard's event file: checked records, one after the other, each an Event of a step."""

import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams.metadata import SESSION_END_INFO_TAG
from tensorboard.summary.writer.record_writer import RecordWriter

from normscope.runs.atomic import replace_file

PREFIX = "events.out.tfevents."
HEADER, FOOTER = 12, 4  # bytes around a record: its length (8) and that length's checksum (4); its own checksum


class EventFile:
    """The event file that one process appends to.

    Why not torch's SummaryWriter: it opens the file anew for every record (five scalars: 0.28 ms there, 0.03 ms here),
    it does so on a thread of its own, where a full disk ends in a traceback, and it names the file by second and
    process, so that after a restart within a second TensorBoard may read the later file first. The records are the
    same; TensorBoard's own RecordWriter makes them.
    """

    def __init__(self, folder: Path, start_step: int) -> None:
        """Open a file that sorts after those of earlier processes; TensorBoard forgets their steps >= start_step."""
        earlier = [int(path.name.removeprefix(PREFIX).partition(".")[0]) for path in event_files(folder)]
        number = max([int(time.time()), *(number + 1 for number in earlier)])
        self._file = (folder / f"{PREFIX}{number:010d}.normscope").open("xb")
        self._records = RecordWriter(self._file)
        self._append(Event(file_version="brain.Event:2"))
        self._append(Event(step=start_step, session_log=SessionLog(status=SessionLog.START)))

    def add(self, summary: Summary, step: int) -> None:
        """Append a summary, which may hold several values."""
        self._append(Event(summary=summary, step=step))

    def flush(self) -> None:
        """Hand what is buffered to the system, where TensorBoard sees it and it survives the process."""
        self._file.flush()

    def sync(self) -> None:
        """Put everything on the disk, where it survives the machine."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()

    def _append(self, event: Event) -> None:
        event.wall_time = time.time()
        self._records.write(event.SerializeToString())


def event_files(folder: Path) -> list[Path]:
    """The event files of a run, in the order in which TensorBoard reads them."""
    return sorted(folder.glob(f"{PREFIX}[0-9]*"))


def read_records(path: Path) -> Iterator[tuple[bytes, Event]]:
    """Every whole record of an event file, raw and parsed; what a killed process left half written ends it."""
    content = path.read_bytes()
    place = 0
    while place + HEADER <= len(content):
        (length,) = struct.unpack_from("<Q", content, place)
        end = place + HEADER + length + FOOTER
        if length == 0 or end > len(content):  # a power cut can leave zeros
            return
        yield content[place:end], Event.FromString(content[place + HEADER : end - FOOTER])
        place = end


def rewind_events(folder: Path, step: int) -> set[str]:
    """Take a run's event files back to what they held before update number `step`.

    TensorBoard also forgets stale steps by itself when a new file announces its start (purge_step), but not on every
    path; nothing to forget is safer. An emptied file stays, since an open page does not get past a deleted one. How
    the run ended (HPARAMS) is taken back too, for the first word would count.

    Returns:
        The tags that are left in the files.
    """
    tags: set[str] = set()
    for path in event_files(folder):
        kept = []
        for raw, event in read_records(path):
            in_event = {value.tag for value in event.summary.value}
            if event.step < step and SESSION_END_INFO_TAG not in in_event:
                kept.append(raw)
                tags |= in_event
        if sum(map(len, kept)) < path.stat().st_size:
            replace_file(path, b"".join(kept))
    return tags
