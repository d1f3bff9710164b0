"""What a trial is judged by."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from normscope.errors import UsageError

LARGER_IS_BETTER = {"validation/accuracy": True, "validation/loss": False}


def check_score(name: str) -> None:
    """Refuse a score that no choice may be made on.

    Raises:
        UsageError: if it is none of the validation images.
    """
    if name in LARGER_IS_BETTER:
        return
    why = "the test set is for the chosen settings alone" if name.startswith("test/") else "no such score"
    raise UsageError(f"search.score={name}: {why}; choose by one of {', '.join(LARGER_IS_BETTER)}")


def worst(name: str) -> float:
    """The score of a trial that has none: it diverged or failed."""
    return -math.inf if LARGER_IS_BETTER[name] else math.inf


def score_of(summaries: Sequence[Mapping[str, Any] | None], name: str) -> float:
    """The score of a trial: the mean over its folds of the score at the end of training.

    Not the best on the way: the weights that remain are those of the end, and the best of many evaluations flatters the
    noisiest trial. (With `regularizer=[early_stopping]` the end is near the best.)

    Args:
        summaries: of the run of each fold; None where there is none.
    Returns:
        The worst score that there is if a fold has not finished, or its score is not finite.
    """
    finished = [summary for summary in summaries if summary is not None and summary["status"] == "finished"]
    values = [float(summary["metrics"].get(name, math.nan)) for summary in finished]
    if len(values) < len(summaries) or not all(map(math.isfinite, values)):
        return worst(name)
    return fmean(values)


def in_words(name: str, score: float) -> str:
    """E.g. "validation/accuracy 41.2 %"."""
    if not math.isfinite(score):
        return f"no {name}"
    return f"{name} {100 * score:.1f} %" if name.endswith("accuracy") else f"{name} {score:.4g}"
