"""The learning rate over a run: each schedule says by what the base rate is multiplied at a step."""

import math
from collections.abc import Callable

Schedule = Callable[[int, int], float]  # (step, steps of the run) -> factor


def constant(step: int, steps: int) -> float:
    """1: the base learning rate all along."""
    return 1.0


def step_decay(step: int, steps: int, *, at: list[float], factor: float) -> float:
    """factor^k, where k of the fractions `at` of the run lie behind: He et al. 2016, arXiv:1512.03385, divide by 10
    at 1/2 and 3/4 of the run.

    Raises:
        ValueError: if a fraction is outside (0, 1) or the factor is not positive.
    """
    if factor <= 0 or any(not 0 < fraction < 1 for fraction in at):
        raise ValueError(f"schedule.step: fractions at={list(at)} must lie within (0, 1) and factor ({factor}) be > 0")
    return factor ** sum(step >= fraction * steps for fraction in at)


def exponential(step: int, steps: int, *, final: float) -> float:
    """final^(step / steps): every step multiplies the rate by the same number, and after the last it is `final`.

    The continuous form of the step-wise decay of Ioffe & Szegedy 2015, arXiv:1502.03167, section 4.2.

    Raises:
        ValueError: if final is outside (0, 1].
    """
    if not 0 < final <= 1:
        raise ValueError(f"schedule.exponential: final ({final}) must lie within (0, 1]")
    return final ** (step / steps)


def polynomial(step: int, steps: int, *, power: float, final: float) -> float:
    """final + (1 − final) (1 − step / steps)^power: Chen et al. 2018, arXiv:1606.00915, section 4.1, "poly".

    Raises:
        ValueError: if power is not positive, or final, the factor at the end, is outside [0, 1].
    """
    if power <= 0 or not 0 <= final <= 1:
        raise ValueError(f"schedule.polynomial: power ({power}) must be > 0 and final ({final}) lie within [0, 1]")
    return final + (1 - final) * (1 - step / steps) ** power


def cosine(step: int, steps: int, *, final: float) -> float:
    """final + (1 − final) (1 + cos(π step / steps)) / 2: Loshchilov & Hutter 2017, arXiv:1608.03983, one cycle.

    Raises:
        ValueError: if final, the factor at the end, is outside [0, 1].
    """
    if not 0 <= final <= 1:
        raise ValueError(f"schedule.cosine: final ({final}) must lie within [0, 1]")
    return final + (1 - final) * (1 + math.cos(math.pi * step / steps)) / 2


def warm_up(step: int, steps: int, *, over: int, then: Schedule) -> float:
    """Rises linearly over the first `over` steps, (step + 1)/over, times the schedule that follows: Goyal et al.
    2017, arXiv:1706.02677, section 2.2.

    Raises:
        ValueError: if over is below 1 step.
    """
    if over < 1:
        raise ValueError(f"schedule.warm_up: over ({over}) must be at least 1 step")
    return min(1.0, (step + 1) / over) * then(step, steps)
