"""Where the time of a run goes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch


class Clock:
    """Seconds by activity: training, probes, evaluation, records.

    Work on a GPU is waited for where one activity ends and the next begins, never inside a training step.
    """

    def __init__(self, device: torch.device) -> None:
        self.seconds = {"training": 0.0, "probes": 0.0, "evaluation": 0.0, "records": 0.0}
        self._device = device
        self._activity = "training"
        self._since = time.perf_counter()

    @contextmanager
    def spent_on(self, activity: str) -> Iterator[None]:
        """Count what happens inside the `with` as this activity, and as training again afterwards."""
        self.settle(activity)
        try:
            yield
        finally:
            self.settle("training")

    def settle(self, then: str = "training") -> None:
        """Add the time since the last change to the activity that is going on, and go over to the next."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        now = time.perf_counter()
        self.seconds[self._activity] += now - self._since
        self._activity, self._since = then, now
