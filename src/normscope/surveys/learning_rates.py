"""What a short training at a learning rate says of it: a pure function of loss curves."""

import math

import numpy as np

FATES = ("too low", "fine", "too high", "diverged")

EXPLODED = 3.0  # times the loss at the start
FALLEN = 0.01  # of the loss at the start; "hardly moves" below it
MOVED = 0.02  # of the loss at the start: further from it than noise
NEARLY = 0.05  # a rate so near to the chosen one need not be tried as well
TAIL = 0.2  # of the updates, at the end


def fate(losses: np.ndarray, still: np.ndarray) -> str:
    """What became of a training at one learning rate, in its first updates.

    CS231n, notes on neural networks 3, "Loss function": at a rate that is too low the loss hardly moves, at one that is
    too high it explodes, or is stuck at a worse value. The notes draw curves and give no numbers; those here are our
    choice, made for some tens of updates. `still` is the loss of the same batches at the weights
    of the start, so that what makes one batch harder than another cancels; ℓ₀ is its mean. With m the mean over the
    last fifth of the updates:

        diverged    a loss is not finite or above 3 ℓ₀, or the curve ends early
        fine        else, if m(still − loss) >= 1 % of ℓ₀
        too high    else, if m(|still − loss|) >= 2 % of ℓ₀: the weights moved, and it did not help
        too low     else

    Where ℓ₀ is far above guessing, a fall to guessing counts as fine although the units may have died on the way: to
    tell these apart is for a training that goes on.

    Args:
        losses: (T,) of each update's batch, before the update; nan where there was no further update.
        still: (T,) of the same batches before the first update.
    Returns:
        One of FATES.
    """
    start = float(still.mean())
    if not np.isfinite(losses).all() or losses.max() > EXPLODED * start:
        return "diverged"
    if fall(losses, still) >= FALLEN * start:
        return "fine"
    return "too high" if tail(abs(still - losses)) >= MOVED * start else "too low"


def fall(losses: np.ndarray, still: np.ndarray) -> float:
    """By how much a training has brought the loss down: the mean of still − losses over the last fifth of the updates,
    −inf where it did not come so far."""
    found = tail(still - losses)
    return found if math.isfinite(found) else -math.inf


def tail(values: np.ndarray) -> float:
    """The mean over the last fifth, at least one value."""
    return float(values[-max(1, round(TAIL * len(values))) :].mean())


def rates(chosen: float, lowest: float, decades: int, per_decade: int) -> list[float]:
    """Learning rates in equal ratios over so many decades, the chosen one among them.

    CS231n, notes on neural networks 3, "Hyperparameter optimization": 10^U(−6, 1). Where the chosen rate lies outside,
    whole decades are added until it does not.

    Returns:
        In increasing order; `chosen` is in it as it is.
    """
    low, high = 0, decades * per_decade
    while lowest * 10 ** (low / per_decade) > chosen * (1 + 1e-9):
        low -= per_decade
    while lowest * 10 ** (high / per_decade) < chosen * (1 - 1e-9):
        high += per_decade
    grid = [float(f"{lowest * 10 ** (place / per_decade):.2g}") for place in range(low, high + 1)]
    return sorted([rate for rate in grid if not math.isclose(rate, chosen, rel_tol=NEARLY)] + [chosen])
