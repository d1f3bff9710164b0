import math

import numpy as np
import pytest

from normscope.statistics import mean_until, paired_bootstrap, running_mean, sign_test, steps_to


def test_running_mean_by_hand():
    assert running_mean([1, 2, 3, 6], 2).tolist() == [1.5, 2.5, 4.5]


def test_running_mean_of_too_few_values_is_empty():
    assert running_mean([1, 2], 3).tolist() == []


def test_running_mean_is_spoilt_only_around_an_infinite_value():
    assert running_mean([1, math.inf, 1, 1], 2).tolist() == [math.inf, math.inf, 1]


def test_running_mean_refuses_an_empty_window():
    with pytest.raises(ValueError, match=r"window \(0\) must be at least 1"):
        running_mean([1], 0)


def test_steps_to_is_the_first_step_that_reaches():
    assert steps_to([0, 10, 20, 30], [0.1, 0.5, 0.4, 0.9], 0.5) == 10


def test_steps_to_counts_equality_as_reached():
    assert steps_to([0, 5], [0.1, 0.3], 0.3) == 5


def test_steps_to_with_a_window_waits_for_the_mean():
    """Means of two: 0.3, 0.45, 0.65; the last of the two values gives the step."""
    assert steps_to([0, 10, 20, 30], [0.1, 0.5, 0.4, 0.9], 0.5, window=2) == 30


@pytest.mark.parametrize("values", [[], [0.1], [0.1, 0.2], [math.nan, math.nan]])
def test_steps_to_is_infinite_when_never_reached(values):
    assert steps_to(range(len(values)), values, 0.5) == math.inf


def test_steps_to_goes_on_after_a_value_that_is_no_number():
    assert steps_to([0, 1, 2], [0.1, math.nan, 0.7], 0.5) == 2


def test_mean_until_takes_only_the_first_steps():
    assert mean_until([0, 100, 200, 300], [4.0, 2.0, 3.0, 99.0], 300) == 3.0


def test_mean_until_reaches_to_the_last_step_of_an_equally_long_run():
    assert mean_until([0, 290, 299], [1.0, 2.0, 3.0], 300) == 2.0


@pytest.mark.parametrize("steps", [[], [0, 100, 200], [300, 400]])
def test_mean_until_of_a_series_that_does_not_cover_the_steps_is_nan(steps):
    assert math.isnan(mean_until(steps, [1.0] * len(steps), 300))


def test_bootstrap_of_equal_effects_is_a_point():
    assert paired_bootstrap([0.3] * 6) == (0.3, 0.3)


def test_bootstrap_is_the_same_every_time():
    effects = np.random.default_rng(1).normal(size=9)
    assert paired_bootstrap(effects) == paired_bootstrap(effects)


def test_bootstrap_of_three_pairs_is_their_range():
    """All three draws are the smallest one in 1 of 27 resamples, which is more than 2.5 %."""
    assert paired_bootstrap([2.0, 1.0, 5.0]) == (1.0, 5.0)


def test_bootstrap_agrees_with_the_normal_interval_of_a_mean():
    effects = np.random.default_rng(0).normal(loc=2, size=400)
    low, high = paired_bootstrap(effects, statistic=np.mean)
    half = 1.96 * effects.std() / math.sqrt(400)
    # The ends of 10,000 resamples scatter by about 3 % of the half width; three times that is allowed.
    assert low == pytest.approx(effects.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(effects.mean() + half, abs=0.1 * half)


def test_bootstrap_of_a_median_ends_where_the_binomial_law_says():
    """Of 11 pairs the resampled median is at most the k-th smallest with P(Bin(11, k/11) >= 6): 0.9 % for k = 2 and
    5.2 % for k = 3, so that the third is the first to keep 2.5 %; likewise from above."""
    assert paired_bootstrap(range(11)) == (2, 8)


@pytest.mark.parametrize("effects", [[], [0.7], [0.6, 0.8]])
def test_bootstrap_of_up_to_two_pairs_claims_nothing(effects):
    assert paired_bootstrap(effects) == (-math.inf, math.inf)


def test_bootstrap_with_an_infinite_effect_has_an_infinite_end():
    low, high = paired_bootstrap([1.0, 2.0, 3.0, 4.0, math.inf])
    assert low == 1.0
    assert high == math.inf


def test_bootstrap_with_all_effects_infinite_stays_there():
    assert paired_bootstrap([math.inf] * 5) == (math.inf, math.inf)


def test_bootstrap_between_both_infinities_claims_nothing():
    assert paired_bootstrap([-math.inf, math.inf, -math.inf, math.inf]) == (-math.inf, math.inf)


def test_bootstrap_refuses_a_pair_without_a_number():
    with pytest.raises(ValueError, match="an effect is nan"):
        paired_bootstrap([1.0, math.nan, 2.0])


def test_bootstrap_refuses_a_level_in_percent():
    with pytest.raises(ValueError, match=r"level \(95\) must lie within 0 and 1"):
        paired_bootstrap([1, 2, 3], level=95)


@pytest.mark.parametrize(
    ("agreeing", "n", "p"), [(5, 5, 1 / 32), (7, 8, 9 / 256), (4, 5, 6 / 32), (0, 3, 1), (0, 0, 1)]
)
def test_sign_test_by_hand(agreeing, n, p):
    assert sign_test(agreeing, n) == p


def test_sign_test_refuses_more_agreement_than_pairs():
    with pytest.raises(ValueError, match=r"agreeing \(6\) must lie within 0 and n \(5\)"):
        sign_test(6, 5)
