"""Grid search."""

import math
from collections.abc import Sequence
from itertools import product

from normscope.searches.space import Listed, Setting, Trial


def grid_trials(space: Sequence[Setting], count: int) -> list[Trial]:
    """Every combination of all listed values and of as many values of each range as `count` trials allow.

    The values of a range are equally far apart, on its own scale, from one end to the other; every range gets the same
    number of them. Lists alone make the grid that they make, whatever the count.

    Raises:
        ValueError: if a range would get fewer than two values.
    """
    ranges = sum(not isinstance(setting, Listed) for setting in space)
    combinations = math.prod(len(setting.values) for setting in space if isinstance(setting, Listed))
    points = 1
    while ranges and combinations * (points + 1) ** ranges <= count:
        points += 1
    if ranges and points < 2:
        raise ValueError(
            f"search.trials={count}: a grid over {ranges} range{'s' if ranges > 1 else ''} and {combinations} "
            f"combination{'s' if combinations > 1 else ''} of listed values needs {combinations * 2**ranges} trials"
        )
    return [
        dict(zip((setting.key for setting in space), values, strict=True))
        for values in product(*(_values(setting, points) for setting in space))
    ]


def _values(setting: Setting, points: int) -> list[str]:
    if isinstance(setting, Listed):
        return list(setting.values)
    evenly = [setting.text(setting.at(number / (points - 1))) for number in range(points)]
    return list(dict.fromkeys(evenly))  # whole numbers may be fewer than the points
