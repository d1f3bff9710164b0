"""The table of a job on the disk: a row for each point, appended as it is measured."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from normscope.errors import UsageError
from normscope.runs.atomic import replace_file, writing
from normscope.surveys.survey import Point

Rows = dict[Point, tuple[float, ...]]  # coordinates -> what was measured there


class Table:
    """The file that one process appends to; a row is with the system, and survives the process, when `add` returns."""

    def __init__(self, path: Path, columns: Sequence[str], rows: Mapping[Point, Sequence[float]]) -> None:
        """Begin the file anew with these rows, at once or not at all.

        Raises:
            UsageError: if it cannot be written.
        """
        replace_file(path, _text([",".join(columns), *(_row([*point, *found]) for point, found in rows.items())]))
        self._path = path
        with writing(path):
            self._file = path.open("ab")

    def add(self, point: Point, found: Sequence[float]) -> None:
        """Append a row; `repr` of a float reads back as the same float."""
        with writing(self._path):
            self._file.write(_text([_row([*point, *found])]))
            self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()


def read_rows(path: Path, columns: Sequence[str], points: Iterable[Point]) -> Rows:
    """The rows of these points, as far as a process got: none where the file is missing or of other columns; what it
    was killed in the middle of is left out."""
    try:
        header, *lines = path.read_bytes().decode(errors="replace").splitlines(keepends=True)
    except (FileNotFoundError, ValueError):
        return {}
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    if header.rstrip("\n").split(",") != list(columns):
        return {}
    wanted = set(points)
    rows: Rows = {}
    for line in lines:
        try:
            values = tuple(float(value) for value in line.split(","))
        except ValueError:
            continue
        point = values[: len(next(iter(wanted)))]
        if line.endswith("\n") and len(values) == len(columns) and point in wanted:
            rows[point] = values[len(point) :]
    return rows


def _row(values: Iterable[float]) -> str:
    return ",".join(repr(float(value)) for value in values)


def _text(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
