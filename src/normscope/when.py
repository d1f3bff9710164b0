"""When something is due: plain functions from a step to a bool."""

from collections.abc import Callable

When = Callable[[int], bool]


def every(n: int) -> When:
    """Due at steps 0, n, 2n, ...

    Args:
        n: updates between two occasions, at least 1.
    Returns:
        A function of the step (0 before the first update) that says whether it is an occasion.
    Raises:
        ValueError: if n is below 1.
    """
    if n < 1:
        raise ValueError(f"when.every: n ({n}) must be at least 1 step; to switch a probe off, leave it out: probe=[]")
    return lambda step: step % n == 0
