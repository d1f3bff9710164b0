"""Early stopping: the weights that were best on held-out images."""

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from normscope.regularizers.copies import kept
from normscope.regularizers.rules import Course, TrainingRule

WATCHED = ("validation/loss", "validation/accuracy")


class EarlyStopping(TrainingRule):
    """Stop when the score on the validation split has not become better for so many scorings, and keep the best
    weights.

    Goodfellow, Bengio & Courville 2016, "Deep Learning", algorithm 7.1; Prechelt 1998. When the run ends, stopped or
    not, the trained network takes back the weights with the best score, buffers included, so that its checkpoint holds
    them; and the run's final scores are those that were taken with them. The curves show every scoring as it was. Any
    score is better than nan, which BatchNorm's first running statistics can make of large initial weights.

    Args:
        watch: validation/loss, which is to fall, or validation/accuracy, which is to rise. The test set is no choice.
        patience: scorings in a row that are not better than the best, at least 1.
    Raises:
        ValueError: if a value is out of range, or (by `begin`) if the run holds no validation images out.
    """

    def __init__(self, *, watch: str, patience: int) -> None:
        if watch not in WATCHED or patience < 1:
            raise ValueError(
                f"watch ({watch}) must be {' or '.join(WATCHED)} and patience ({patience}) at least 1 scoring"
            )
        self.watch, self.patience = watch, patience
        self.waited = 0
        self.metrics: dict[str, float] = {}  # those of the best scoring
        self.weights: dict[str, Tensor] = {}
        self._scored: nn.Module | None = None

    def begin(self, course: Course) -> None:
        """Refuse a run that does not score what is watched."""
        if self.watch not in course.scores:
            raise ValueError(
                f"regularizer.early_stopping: it watches {self.watch}, and this run scores {', '.join(course.scores)}; "
                "hold images out by dataset.validation=1000 (and regression has no accuracy)"
            )

    def before_scoring(self, network: nn.Module) -> None:
        """Notice the network that the next score belongs to."""
        self._scored = network

    def should_stop(self, metrics: Mapping[str, float]) -> str:
        """Keep the network if it is the best so far; stop if it has not been for too long."""
        assert self._scored is not None, "before_scoring comes first"
        best = self.metrics.get(self.watch, math.nan)
        if math.isnan(best) or self._is_better(metrics[self.watch], best):
            self.waited, self.weights = 0, kept(self._scored)
            self.metrics = {name: value for name, value in metrics.items() if not name.startswith("train/")}
            return ""
        self.waited += 1
        if self.waited < self.patience:
            return ""
        return f"{self.watch} is not better than {self.metrics[self.watch]:.4g} for {self.waited} scorings"

    def finish(self, network: nn.Module) -> Mapping[str, float]:
        """Put the best weights into the trained network."""
        if self.weights:
            network.load_state_dict(self.weights)
        return self.metrics

    def state(self) -> dict[str, Any]:
        """The best weights with their scores, and how long ago they were found."""
        return {"waited": self.waited, "metrics": self.metrics, "weights": self.weights}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""
        self.waited, self.metrics, self.weights = state["waited"], state["metrics"], state["weights"]

    def _is_better(self, score: float, best: float) -> bool:
        return score < best if self.watch.endswith("loss") else score > best
