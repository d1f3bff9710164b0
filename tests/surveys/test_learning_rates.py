"""Made-up loss curves are classified as they should be, and the rates are those that were asked for."""

import numpy as np
import pytest

from normscope.surveys.learning_rates import fall, fate, rates

STILL = np.full(50, 100.0)
EVEN = np.arange(50) % 2 == 0


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        (STILL, "too low"),
        (np.linspace(100, 99.5, 50), "too low"),  # a straight line that hardly falls
        (np.linspace(100, 60, 50), "fine"),
        (np.r_[np.full(45, 100.0), np.full(5, 98.0)], "fine"),  # 1 % in the mean of the last ten
        (np.r_[np.full(45, 100.0), np.full(5, 98.1)], "too low"),
        (np.r_[np.full(10, 250.0), np.full(40, 90.0)], "fine"),  # up first, then down
        (np.where(EVEN, 98.0, 102.0), "too high"),  # moved by 2 %, nowhere
        (np.where(EVEN, 98.1, 101.9), "too low"),
        (np.full(50, 130.0), "too high"),  # stuck at a worse value
        (np.r_[np.full(20, 90.0), 300.0, np.full(29, 90.0)], "fine"),  # three times the start is not yet above it
        (np.r_[np.full(20, 90.0), 300.1, np.full(29, 90.0)], "diverged"),
        (np.r_[np.full(20, 90.0), np.inf, np.full(29, np.nan)], "diverged"),
        (np.r_[np.full(49, 90.0), np.nan], "diverged"),
    ],
)
def test_a_curve_is_classified(losses, expected):
    assert fate(losses, STILL) == expected


@pytest.mark.parametrize("change", [-0.02, -0.5, -2.0, 0.0])
def test_how_hard_the_batches_are_does_not_count(change):
    """The same fall below batches whose losses differ by half of their mean."""
    still = 100 * np.random.default_rng(0).uniform(0.5, 1.5, 50)
    assert fate(still + change, still) == fate(STILL + change * 100 / still.mean(), STILL)
    assert fall(still + change, still) == pytest.approx(-change)


def test_a_curve_that_ends_early_has_no_fall():
    assert fall(np.r_[np.full(48, 90.0), np.nan, np.nan], STILL) == -np.inf


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (0.01, [1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10]),
        (0.02, [1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.02, 0.1, 1, 10]),
        (0.0101, [1e-6, 1e-5, 1e-4, 1e-3, 0.0101, 0.1, 1, 10]),  # 0.01 would tell nothing new
        (2e-8, [1e-8, 2e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10]),
        (30, [1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10, 30, 100]),
    ],
)
def test_seven_decades_with_the_chosen_rate_in_them(chosen, expected):
    found = rates(chosen, lowest=1e-6, decades=7, per_decade=1)
    assert found == pytest.approx(expected)
    assert chosen in found


def test_two_rates_a_decade():
    assert rates(0.1, lowest=0.01, decades=2, per_decade=2) == pytest.approx([0.01, 0.032, 0.1, 0.32, 1])
