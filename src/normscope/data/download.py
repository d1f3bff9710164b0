"""Fetching a large file over a connection that may break."""

import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from normscope.errors import UsageError

TIMEOUT = 30.0  # seconds without a byte
TRIES = 6  # in a row without a new byte, once some have come


class _Broken(Exception):
    """The connection failed in a way that another one may not."""


def download(url: str, path: Path, *, size: int, md5: str, pause: float = 1.0) -> None:
    """Fetch a file of known size and checksum.

    What has come lies in `<path>.part` until it is complete and its checksum is right; then it takes its name. A broken
    download is taken up where it stopped (HTTP Range), at once and by the next call. Of several processes one fetches
    and the others wait.

    Args:
        size, md5: of the whole file, in bytes and in hexadecimal.
        pause: seconds before the next try; doubled by each that brings nothing.
    Raises:
        UsageError: with the reason, if it cannot be had.
    """
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):
            if path.exists():  # another process was faster
                return
            if _length(part) > size:
                part.unlink()
            _complete(url, part, size, pause)
            _check(url, part, size, md5)
            os.replace(part, path)
    except OSError as error:
        raise UsageError(f"{part} cannot be written: {error.strerror or error}") from error


def md5_of(path: Path) -> str:
    """The file's MD5 in hexadecimal: what old archives are published with; it tells damage, not malice."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _complete(url: str, part: Path, size: int, pause: float) -> None:
    """Connect until all bytes are there; give up at once if none comes at first, after some tries if no more come."""
    most, arrived, idle = _length(part), False, 0
    with _progress(part, size) as show:
        while _length(part) < size:
            reason = "the connection ended early"
            try:
                _fetch(url, part, size, show)
            except _Broken as error:
                reason = str(error)
            here = _length(part)
            arrived, idle = arrived or here > most, 0 if here > most else idle + 1
            most = max(most, here)
            if here < size and (idle == TRIES or not arrived):
                kept = f"; {here:,} of {size:,} bytes are kept, the next download goes on from there" if here else ""
                raise UsageError(f"{url}: {reason}{kept}")
            if here < size:
                time.sleep(pause * 2**idle)


def _fetch(url: str, part: Path, size: int, show: Callable[[int], None]) -> None:
    """Append to `part` what one connection brings."""
    have = _length(part)
    try:
        headers = {"User-Agent": "normscope", "Accept-Encoding": "identity"}
        request = urllib.request.Request(url, headers=headers | ({"Range": f"bytes={have}-"} if have else {}))
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # less there than we have: not the same file
            part.unlink()
        raise _Broken(f"the server answers {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise _Broken(getattr(reason, "strerror", None) or str(reason)) from error
    except ValueError as error:
        raise UsageError(f"{url}: {error}; an address begins with https://") from error
    with response, part.open("ab") as file:
        start, total = _extent(response)
        if total not in (None, size):
            raise UsageError(f"{url}: the server offers {total:,} bytes, not {size:,}: that is another file")
        if start > have:
            raise _Broken(f"the server goes on at byte {start:,}, not at {have:,}")
        file.truncate(start)
        while chunk := _chunk(response):
            file.write(chunk)
            start += len(chunk)
            show(start)
            if start > size:
                file.truncate(0)
                raise UsageError(f"{url}: the server sends more than {size:,} bytes: that is another file")


def _extent(response: http.client.HTTPResponse) -> tuple[int, int | None]:
    """The byte that the answer begins with, and the size of the whole file where the server tells."""
    if response.status == 206:
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if not found:
            raise _Broken("the server does not say which part it sends")
        return int(found[1]), None if found[2] == "*" else int(found[2])
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() else None


def _chunk(response: http.client.HTTPResponse) -> bytes:
    """What has come; empty at the end of the connection."""
    try:
        return response.read1(1 << 18)
    except (OSError, http.client.HTTPException) as error:
        raise _Broken(str(error)) from error


def _check(url: str, part: Path, size: int, md5: str) -> None:
    found = md5_of(part)
    if found != md5:
        part.unlink()
        raise UsageError(f"{url}: the {size:,} bytes that came have md5 {found}, not {md5}; they were removed")


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


@contextmanager
def _progress(part: Path, size: int) -> Iterator[Callable[[int], None]]:
    """A bar in a terminal, nothing elsewhere; yields the function that is told how many bytes there are."""
    console = Console(stderr=True)
    columns = (TextColumn(part.stem), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("", total=size, completed=_length(part))
        yield lambda length: bar.update(task, completed=length)
