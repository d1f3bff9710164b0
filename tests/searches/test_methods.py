"""Grid and random search: which trials they make."""

import math

import pytest

from normscope.searches.grid_trials import grid_trials
from normscope.searches.random_trials import random_trials
from normscope.searches.space import Interval, Listed

LR = Interval("lr", 1e-6, 10, log=True)
DECAY = Interval("decay", 1e-8, 1e-4, log=True)
NORM = Listed("norm", ("none", "batch"))


def test_more_random_trials_begin_with_the_fewer():
    assert random_trials([LR, NORM], 100, seed=3)[:20] == random_trials([LR, NORM], 20, seed=3)


def test_another_setting_moves_no_other():
    alone, beside = random_trials([LR], 20, seed=0), random_trials([DECAY, LR], 20, seed=0)
    assert [trial["lr"] for trial in alone] == [trial["lr"] for trial in beside]


def test_seeds_draw_differently():
    assert random_trials([LR], 5, seed=0) != random_trials([LR], 5, seed=1)


def test_the_draws_are_the_same_for_ever():
    """Pinned: other ones would begin a killed search anew."""
    assert random_trials([LR, NORM], 2, seed=0) == [
        {"lr": "0.0006205", "norm": "none"},
        {"lr": "0.0003721", "norm": "batch"},
    ]


def test_random_learning_rates_are_even_in_their_logarithm():
    powers = [math.log10(float(trial["lr"])) for trial in random_trials([LR], 7000, seed=0)]
    counts = [sum(low <= power < low + 1 for power in powers) for low in range(-6, 1)]
    assert min(counts) > 1000 - 4 * math.sqrt(1000 * 6 / 7)  # four standard deviations of a binomial
    assert max(counts) < 1000 + 4 * math.sqrt(1000 * 6 / 7)


def test_a_random_search_tries_as_many_values_of_each_setting_as_there_are_trials():
    trials = random_trials([LR, DECAY], 25, seed=0)
    assert len({trial["lr"] for trial in trials}) == len({trial["decay"] for trial in trials}) == 25


def test_a_grid_of_25_trials_tries_five_values_of_each_of_two_ranges():
    trials = grid_trials([LR, DECAY], 25)
    assert len(trials) == 25
    assert [float(value) for value in dict.fromkeys(trial["decay"] for trial in trials)] == pytest.approx(
        [1e-8, 1e-7, 1e-6, 1e-5, 1e-4]
    )
    assert len({trial["lr"] for trial in trials}) == 5


@pytest.mark.parametrize(("count", "made"), [(8, 8), (17, 8), (18, 18), (31, 18), (32, 32)])
def test_a_grid_has_as_many_trials_as_fit(count, made):
    assert len(grid_trials([LR, DECAY, NORM], count)) == made


def test_lists_alone_make_their_own_grid():
    trials = grid_trials([Listed("lr", ("0.1", "0.2", "0.3")), NORM], 2)
    assert [(trial["lr"], trial["norm"]) for trial in trials] == [
        (lr, norm) for lr in ("0.1", "0.2", "0.3") for norm in ("none", "batch")
    ]


def test_whole_numbers_come_once():
    assert [trial["n"] for trial in grid_trials([Interval("n", 1, 3, whole=True)], 10)] == ["1", "2", "3"]


def test_a_grid_of_too_few_trials_is_refused():
    with pytest.raises(ValueError, match=r"search.trials=7: a grid over 2 ranges and 2 combinations .* needs 8 trials"):
        grid_trials([LR, DECAY, NORM], 7)


def test_a_random_search_without_a_trial_is_refused():
    with pytest.raises(ValueError, match=r"search.trials=0: must be at least 1"):
        random_trials([LR], 0, seed=0)
