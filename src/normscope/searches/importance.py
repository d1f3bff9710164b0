"""Which settings of a search matter."""

from collections.abc import Hashable, Sequence

import numpy as np

BINS, PERMUTATIONS = 5, 2000
FEWEST = 10  # trials: of fewer nothing can be told


def importance(values: Sequence[float | str], scores: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """The share of the variance of the scores' ranks that a setting explains by itself, and its p-value.

    The correlation ratio of the ranks, the statistic of Kruskal & Wallis 1952 over n − 1, less what B bins explain by
    chance (the adjusted R² of a variance analysis of the ranks), never below 0:
        η² = Σ_b n_b (r̄_b − r̄)² / Σ_i (r_i − r̄)²,   share = ((n − 1) η² − (B − 1)) / (n − B)
    The trials are parted into bins b by the setting: a listed value is a bin; the numbers of a range make five bins of
    equally many trials. Like the variance of a marginal in Hutter et al. 2014 ("An efficient approach for assessing
    hyperparameter importance") it sees an optimum in the middle of a range, where a correlation with the score is 0.
    Ranks let a diverged trial count as the worst, however bad.

    The p-value counts how often scores dealt out anew, 2,000 times, explain as much: (1 + count) / 2,001.

    Args:
        values: of the setting, one a trial; scores: infinite ones tie with their like.
    Returns:
        (share, p); (nan, nan) of fewer than ten trials, of equal scores, of a single bin or of one for every trial.
    """
    count = len(values)
    if count < FEWEST:
        return float("nan"), float("nan")
    ranks = _ranks(np.asarray(scores, dtype=float))
    bins = _bins(values)
    indicator = (bins[:, None] == np.unique(bins)).astype(float)  # (n, B)
    spread = ((ranks - ranks.mean()) ** 2).sum()
    kinds = indicator.shape[1]
    if spread == 0 or not 1 < kinds < count:
        return float("nan"), float("nan")
    sizes = indicator.sum(axis=0)

    def explained(some: np.ndarray) -> np.ndarray:  # (R, n) -> (R,)
        means = some @ indicator / sizes
        return np.asarray((sizes * (means - ranks.mean()) ** 2).sum(axis=1) / spread)

    observed = explained(ranks[None])[0]
    random = np.random.default_rng(seed)
    dealt = explained(random.permuted(np.tile(ranks, (PERMUTATIONS, 1)), axis=1))
    share = max(0.0, ((count - 1) * observed - (kinds - 1)) / (count - kinds))
    return float(share), float((1 + (dealt >= observed - 1e-12).sum()) / (1 + PERMUTATIONS))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks 1 .. n; equal values share the mean of theirs."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = counts.cumsum()
    return np.asarray((last - (counts - 1) / 2)[which])


def _bins(values: Sequence[Hashable]) -> np.ndarray:
    """A number for the bin of each value: one for each different value where they are few, else five of equal size."""
    different = sorted(set(values), key=lambda value: (isinstance(value, str), value))
    if len(different) <= BINS or any(isinstance(value, str) for value in different):
        return np.array([different.index(value) for value in values])
    order = np.argsort(np.array(values, dtype=float), kind="stable")
    places = np.empty(len(values), dtype=int)
    places[order] = np.arange(len(values))
    return places * BINS // len(values)
