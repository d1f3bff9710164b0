import pytest

from normscope.when import every


def test_every_third_step_begins_with_the_first():
    assert [step for step in range(10) if every(3)(step)] == [0, 3, 6, 9]


def test_a_period_below_one_is_refused():
    with pytest.raises(ValueError, match=r"n \(0\) must be at least 1"):
        every(0)
