"""Random search."""

import random
from collections.abc import Sequence

from normscope.searches.space import Listed, Setting, Trial


def random_trials(space: Sequence[Setting], count: int, seed: int) -> list[Trial]:
    """Trials whose every setting is drawn by itself: evenly from its range or its list.

    Bergstra & Bengio 2012, "Random search for hyper-parameter optimization", JMLR 13: where few of the settings matter,
    n trials try n values of each that does, a grid of as many trials only a root of n.

    A value depends on the seed, the trial's number and the setting's key alone: with more trials, or with another
    setting, the others stay what they were.

    Raises:
        ValueError: if count is below 1.
    """
    if count < 1:
        raise ValueError(f"search.trials={count}: must be at least 1")
    return [
        {setting.key: _drawn(setting, f"{seed}/{number}/{setting.key}") for setting in space} for number in range(count)
    ]


def _drawn(setting: Setting, stream: str) -> str:
    share = random.Random(stream).random()  # in [0, 1)
    if isinstance(setting, Listed):
        return setting.values[int(share * len(setting.values))]
    return setting.text(setting.at(share))
