"""From coarse to fine: a smaller space inside what a search found."""

import math
from collections.abc import Collection, Sequence

from normscope.errors import UsageError
from normscope.searches.record import Search, Tried
from normscope.searches.space import Interval, Listed

BEST_SHARE, FEWEST = 0.1, 3  # of the trials: those that the finer search looks between
EDGE = 0.05  # of a range, on its own scale: so near to an end a value lies on the border


def narrowed(search: Search, trials: Sequence[Tried], given: Collection[str] = ()) -> dict[str, str]:
    """Where the best trials of a search lie: each range from the lowest to the highest of their values, an EDGE more on
    either side; each list without the values that none of them has.

    CS231n, notes on hyperparameter search: from coarse to fine, and a best value on the border of its range says that
    the range was wrong.

    Args:
        trials: best first.
        given: settings that the finer search has a range or value of its own for.
    Returns:
        Setting -> its range, list or value, as typed on the command line.
    Raises:
        UsageError: if the best value of a setting lies on the border of its range, or too few trials have finished.
    """
    finished = [trial for trial in trials if trial.status == "finished"]
    if len(finished) < FEWEST:
        raise UsageError(
            f"{len(finished)} trials of it have finished, and what is best shows from {FEWEST} on; go on with it"
        )
    best = finished[: max(FEWEST, math.ceil(BEST_SHARE * len(trials)))]
    found = {}
    for setting in search.space:
        if setting.key in given:
            continue
        values = [trial.settings[setting.key] for trial in best]
        if isinstance(setting, Listed):
            kept = tuple(value for value in setting.values if value in values)
            found[setting.key] = Listed(setting.key, kept).typed().partition("=")[2]
        else:
            numbers = [float(value) for value in values]
            check_border(setting, numbers[0])
            found[setting.key] = _around(setting, numbers).typed().partition("=")[2]
    return found


def check_border(setting: Interval, best: float) -> None:
    """Refuse a best value that lies on the border of its range.

    Raises:
        UsageError: saying which, and a range that is wide enough to look again.
    """
    end = end_of(setting, best)
    if end is None:
        return
    span = setting.high / setting.low if setting.log else setting.high - setting.low
    third = span ** (1 / 3) if setting.log else span / 3
    if end == "upper":
        wide = setting.low, setting.high * third if setting.log else setting.high + third
    else:
        wide = setting.low / third if setting.log else setting.low - third, setting.high
    low, high = (round(bound) if setting.whole else float(f"{bound:.1g}") for bound in wide)
    wider = Interval(setting.key, min(low, setting.low), max(high, setting.high), setting.log, setting.whole)
    raise UsageError(
        f"the best {setting.key} ({setting.text(best)}) lies at the {end} end of its range "
        f"({setting.text(setting.low)} to {setting.text(setting.high)}), so that the optimum may lie beyond; search "
        f"again with '{wider.typed()}', or, if it can go no further, give the finer range yourself: "
        f"'{setting.key}=interval(LOW,HIGH)'"
    )


def end_of(setting: Interval, value: float) -> str | None:
    """The end at which a value lies: lower, upper, or None where it lies inside the range."""
    if setting.whole:
        return "lower" if value <= setting.low else "upper" if value >= setting.high else None
    share = setting.share(value)
    return "lower" if share < EDGE else "upper" if share > 1 - EDGE else None


def _around(setting: Interval, values: Sequence[float]) -> Interval:
    shares = [setting.share(value) for value in values]
    low, high = setting.at(max(0.0, min(shares) - EDGE)), setting.at(min(1.0, max(shares) + EDGE))
    if setting.whole and low == high:  # one number is no range
        low, high = max(setting.low, low - 1), min(setting.high, high + 1)
    return Interval(setting.key, low, high, setting.log, setting.whole)
