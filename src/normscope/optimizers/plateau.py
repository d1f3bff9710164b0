"""A learning rate that falls when the score on held-out images no longer gets better."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any


class ReduceOnPlateau:
    """factor^k, where k counts how often the watched score stopped improving.

    As in He et al. 2016, arXiv:1512.03385, section 3.4 ("divided by 10 when the error plateaus"). After every
    evaluation: a score counts as better if it beats the best one by the share `threshold`; after more than `patience`
    evaluations in a row that are not, the rate falls and the count begins anew. In PyTorch's ReduceLROnPlateau,
    threshold_mode="rel".

    Args:
        watch: validation/loss, which is to fall, or validation/accuracy, which is to rise. The test set is no choice.
        factor: by what the rate is multiplied, in (0, 1).
        patience: evaluations without improvement that are let pass, at least 0.
        threshold: share of the best score, at least 0.
    Raises:
        ValueError: if a value is out of range.
    """

    def __init__(self, watch: str, factor: float, patience: int, threshold: float) -> None:
        if watch not in ("validation/loss", "validation/accuracy"):
            raise ValueError(f"watch ({watch}) must be validation/loss or validation/accuracy")
        if not 0 < factor < 1 or patience < 0 or threshold < 0:
            raise ValueError(
                f"factor ({factor}) must lie within (0, 1), patience ({patience}) and threshold ({threshold}) be at "
                "least 0"
            )
        self.watch = watch
        self._factor, self._patience, self._threshold = factor, patience, threshold
        self._best = math.nan  # before the first score; any is better
        self._waited, self._reductions = 0, 0

    def __call__(self, step: int, steps: int) -> float:
        """The factor as it is now, whatever the step."""
        return self._factor**self._reductions

    def observe(self, metrics: Mapping[str, float]) -> None:
        """Take notice of the latest scores."""
        score = metrics[self.watch]
        if math.isnan(self._best) or self._is_better(score, self._best):
            self._best, self._waited = score, 0
            return
        self._waited += 1
        if self._waited > self._patience:
            self._reductions, self._waited = self._reductions + 1, 0

    def _is_better(self, score: float, best: float) -> bool:
        if self.watch.endswith("loss"):
            return score < best * (1 - self._threshold)
        return score > best * (1 + self._threshold)

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        return {"best": self._best, "waited": self._waited, "reductions": self._reductions}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` returned."""
        self._waited, self._reductions = state["waited"], state["reductions"]
        self._best = math.nan if state["best"] is None else state["best"]  # None: as older checkpoints have it


def observers(schedule: Any) -> list[Any]:
    """The schedules that want to be told the scores: a schedule itself, or those among its arguments."""
    if hasattr(schedule, "observe"):
        return [schedule]
    parts = schedule.keywords.values() if isinstance(schedule, partial) else ()
    return [found for part in parts for found in observers(part)]
