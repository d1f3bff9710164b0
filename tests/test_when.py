import pytest

from normscope.when import at, every, every_pair


def test_every_third_step_begins_with_the_first():
    assert [step for step in range(10) if every(3)(step)] == [0, 3, 6, 9]


def test_a_period_below_one_is_refused():
    with pytest.raises(ValueError, match=r"n \(0\) must be at least 1"):
        every(0)


def test_given_steps_are_the_only_ones():
    assert [step for step in range(10) if at([0, 7])(step)] == [0, 7]


@pytest.mark.parametrize("steps", [[], [3, -1]])
def test_steps_that_never_come_are_refused(steps):
    with pytest.raises(ValueError, match="must hold at least one step, and none below 0"):
        at(steps)


@pytest.mark.parametrize(("n", "steps"), [(4, [0, 1, 4, 5, 8, 9]), (2, list(range(10))), (1, list(range(10)))])
def test_every_pair_has_two_steps_in_a_row(n, steps):
    assert [step for step in range(10) if every_pair(n)(step)] == steps


def test_pairs_with_no_period_are_refused():
    with pytest.raises(ValueError, match=r"every_pair: n \(0\) must be at least 1"):
        every_pair(0)
