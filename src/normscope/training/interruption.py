"""Stopping between two steps when the user or the cluster asks for it."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interruption() -> Iterator[Callable[[], str]]:
    """Catch SIGINT (Ctrl-C) and SIGTERM (a cluster's eviction) and remember them.

    Yields:
        A function that returns the signal's name once one came, and "" before. A second SIGINT stops at once.
    """
    came: list[str] = []

    def remember(number: int, frame: FrameType | None) -> None:
        if came and number == signal.SIGINT:
            raise KeyboardInterrupt
        came.append(signal.Signals(number).name)

    if threading.current_thread() is not threading.main_thread():  # only the main thread may listen
        yield lambda: ""
        return
    before = {number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: came[0] if came else ""
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
