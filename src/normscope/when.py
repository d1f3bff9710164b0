"""When something is due: plain functions from a step to a bool."""

from collections.abc import Callable, Sequence

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


def every_pair(n: int) -> When:
    """Due at steps 0 and 1, n and n + 1, 2n and 2n + 1, ...: for what compares a step with the one before it.

    Args:
        n: updates from one pair to the next, at least 1; at 1 and 2 every step is an occasion.
    Raises:
        ValueError: if n is below 1.
    """
    if n < 1:
        raise ValueError(
            f"when.every_pair: n ({n}) must be at least 1 step; to switch a probe off, leave it out: probe=[]"
        )
    return lambda step: step % n < 2


def at(steps: Sequence[int]) -> When:
    """Due at these steps and no others; [0] is the initialisation.

    Raises:
        ValueError: if no step is given, or one is negative.
    """
    if not steps or min(steps) < 0:
        raise ValueError(f"when.at: steps ({list(steps)}) must hold at least one step, and none below 0, e.g. [0]")
    return frozenset(steps).__contains__
