"""Every scalar of a run as rows `step,name,value` of a text file, readable without TensorBoard."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from normscope.errors import UsageError
from normscope.runs.atomic import replace_file

FILE = "series.csv"
HEADER = b"step,name,value\n"


class SeriesFile:
    """The file that one process appends to."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / FILE).open("ab")
        if self._file.tell() == 0:
            self._file.write(HEADER)

    def add(self, step: int, scalars: Mapping[str, float]) -> None:
        """Append a row for each; `repr` of a float reads back as the same float."""
        rows = [f"{step},{name},{float(value)!r}\n" for name, value in scalars.items()]
        self._file.write("".join(rows).encode())

    def flush(self) -> None:
        self._file.flush()

    def sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def rewind_series(folder: Path, step: int) -> None:
    """Take the series back to what they were before update number `step`, at once or not at all.

    Raises:
        UsageError: if the file is missing or foreign although there is something to keep.
    """
    path = folder / FILE
    if step == 0:
        path.unlink(missing_ok=True)
        return
    content = path.read_bytes() if path.exists() else b""
    if not content.startswith(HEADER):
        raise UsageError(
            f"{path} is missing or foreign, but the run goes on from step {step}; "
            f"bring it back, or delete {folder} to start the run over"
        )
    lines = content[len(HEADER) :].splitlines(keepends=True)
    kept = [line for line in lines if line.endswith(b"\n") and is_before(line, step)]
    if len(kept) < len(lines):
        replace_file(path, HEADER + b"".join(kept))


def is_before(line: bytes, step: int) -> bool:
    """Whether a row is of an earlier step; what a power cut leaves (zeros) is of none."""
    first = line.partition(b",")[0]
    return first.isdigit() and int(first) < step


def read_rows(path: Path) -> Iterator[tuple[int, str, float]]:
    """The rows of a series file, without the last one if its process was killed in the middle of it.

    Raises:
        UsageError: if the file is foreign, or a row is not a step, a name and a value; the message holds its number.
    """
    content = path.read_bytes()
    if not content.startswith(HEADER):
        raise UsageError(f"{path} does not begin with {HEADER.decode().strip()}; it is no series of a run")
    for number, line in enumerate(content[: content.rfind(b"\n")].decode(errors="replace").split("\n")[1:], start=2):
        try:
            step, name, value = line.split(",")
            yield int(step), name, float(value)
        except ValueError as error:
            raise UsageError(f"{path}, line {number}: {line!r} is not step,name,value ({error})") from error
