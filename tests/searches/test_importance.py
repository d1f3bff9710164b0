import math
import random

import pytest

from normscope.searches.importance import importance


def test_a_setting_that_orders_the_scores_explains_them_by_hand():
    """Ranks 1..5 and 6..10: means 3 and 8 around 5.5, so η² is 10 · 2.5² = 62.5 of Σ (r − 5.5)² = 82.5; two bins."""
    share, p = importance(["a"] * 5 + ["b"] * 5, list(range(10)))
    assert share == pytest.approx((9 * 62.5 / 82.5 - 1) / 8)
    assert p < 0.02  # 2 of the 252 ways to deal them out explain as much


def test_of_values_that_each_have_one_trial_nothing_can_be_told():
    assert all(map(math.isnan, importance([f"option {number}" for number in range(12)], list(range(12)))))


def test_an_optimum_in_the_middle_is_seen_where_a_correlation_is_none():
    values = [number / 60 for number in range(61)]
    scores = [-((value - 0.5) ** 2) for value in values]
    share, p = importance(values, scores)
    assert share > 0.8
    assert p < 0.001


def test_only_the_order_of_scores_and_numbers_counts():
    source = random.Random(0)
    values, scores = [source.random() for _ in range(40)], [source.random() for _ in range(40)]
    assert importance(values, scores) == importance([math.exp(5 * value) for value in values], [s**3 for s in scores])


def test_diverged_trials_are_the_worst_however_bad():
    values = [float(number) for number in range(20)]
    lost = [-math.inf if value >= 12 else value for value in values]
    bad = [-1.0 if value >= 12 else value for value in values]
    assert importance(values, lost) == importance(values, bad)


def test_a_setting_without_influence_is_seldom_significant():
    source = random.Random(1)
    found = [
        importance([source.random() for _ in range(30)], [source.random() for _ in range(30)])[1] for _ in range(100)
    ]
    assert 0 <= sum(p <= 0.05 for p in found) <= 12  # of 100 at 5 %: 12 are three standard deviations above
    assert 0.4 < sum(found) / 100 < 0.6  # uniform


def test_a_setting_without_influence_explains_next_to_nothing():
    source = random.Random(2)
    shares = [
        importance([source.random() for _ in range(30)], [source.random() for _ in range(30)])[0] for _ in range(50)
    ]
    assert sum(shares) / 50 < 0.1  # a bare η² has 4 / 29 = 0.14 on average


@pytest.mark.parametrize(
    ("values", "scores"), [([1.0] * 9, range(9)), ([1.0] * 12, range(12)), (list("ab") * 6, [0.5] * 12)]
)
def test_of_few_or_equal_trials_nothing_is_told(values, scores):
    assert all(map(math.isnan, importance(values, list(scores))))
