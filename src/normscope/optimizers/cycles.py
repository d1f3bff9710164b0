"""Learning rates that rise again: cycles within a run."""

import math


def cosine_restarts(step: int, steps: int, *, cycles: int, growth: float, final: float) -> float:
    """A cosine from 1 to `final` in each cycle, then back to 1 at once.

    SGDR, Loshchilov & Hutter 2017, arXiv:1608.03983, equation 5, where a cycle is T_mult = growth times as long as the
    one before. Deviation: the first cycle's T_0 follows from their number, so that the last one ends with the run,
    whatever its length; a cycle's ends are rounded to whole steps.

    Args:
        cycles: in a run, at least 1; growth: above 0.
        final: factor at the end of a cycle, in [0, 1].
    Raises:
        ValueError: if a value is out of range.
    """
    if cycles < 1 or growth <= 0 or not 0 <= final <= 1:
        raise ValueError(
            f"schedule.restarts: cycles ({cycles}) must be at least 1, growth ({growth}) > 0 and final ({final}) lie "
            "within [0, 1]"
        )
    start, end = cycle_of(step, steps, cycles=cycles, growth=growth)
    return final + (1 - final) * (1 + math.cos(math.pi * (step - start) / (end - start))) / 2


def cycle_of(step: int, steps: int, *, cycles: int, growth: float) -> tuple[int, int]:
    """The first step of the cycle in which a step lies, and that of the next: a run is `cycles` long, each `growth`
    times the one before."""
    lengths = [growth**number for number in range(cycles)]
    ends = [round(steps * sum(lengths[: number + 1]) / sum(lengths)) for number in range(cycles)]
    number = next(number for number, end in enumerate(ends) if step < end or number == cycles - 1)
    return (ends[number - 1] if number else 0), ends[number]


def triangular(step: int, steps: int, *, cycles: int, lowest: float, shrink: float) -> float:
    """Up from `lowest` to 1 and down again, both along a straight line, in each of `cycles` equal cycles.

    Smith 2017, arXiv:1506.01186, section 3.1; the base rate is the cycle's maximum.

    Args:
        cycles: in a run, at least 1.
        lowest: the factor between two cycles, in [0, 1].
        shrink: by what the height of a cycle is multiplied from one to the next, in (0, 1]: 1 is the paper's
            "triangular", 1/2 its "triangular2".
    Raises:
        ValueError: if a value is out of range.
    """
    if cycles < 1 or not 0 <= lowest <= 1 or not 0 < shrink <= 1:
        raise ValueError(
            f"schedule.cyclic: cycles ({cycles}) must be at least 1, lowest ({lowest}) lie within [0, 1] and shrink "
            f"({shrink}) within (0, 1]"
        )
    number, place = divmod(step * cycles / steps, 1)
    return lowest + (1 - lowest) * shrink**number * (1 - abs(2 * place - 1))


def one_cycle(step: int, steps: int, *, rise: float, start: float, final: float) -> float:
    """Along straight lines from `start` to 1, back to `start` in as many steps, and to `final` in those that are left.

    The 1cycle policy, Smith 2018, arXiv:1803.09820, section 4 (Smith & Topin 2018, arXiv:1708.07120, section 3); the
    base rate is the maximum. Deviation: the momentum, which goes the other way there, from 0.95 to 0.85 and back, stays
    as the optimizer has it.

    Args:
        rise: share of the run in which the rate rises, in (0, 0.5].
        start, final: factors in the beginning and at the end, within 0 < final <= start <= 1.
    Raises:
        ValueError: if a value is out of range.
    """
    if not 0 < rise <= 0.5 or not 0 < final <= start <= 1:
        raise ValueError(
            f"schedule.one_cycle: rise ({rise}) must lie within (0, 0.5], and 0 < final ({final}) <= start ({start}) "
            "<= 1"
        )
    place = step / steps
    if place <= 2 * rise:
        return start + (1 - start) * (1 - abs(place / rise - 1))
    return start + (final - start) * (place - 2 * rise) / (1 - 2 * rise)
