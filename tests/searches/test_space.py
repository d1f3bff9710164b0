import math

import pytest

from normscope.searches.space import Interval, Listed, corners

LR = Interval("optimizer.lr", 1e-6, 10, log=True)


def test_a_logarithmic_range_is_even_in_its_powers_of_ten():
    assert [LR.at(share / 7) for share in range(8)] == pytest.approx([10.0**power for power in range(-6, 2)])


@pytest.mark.parametrize("setting", [LR, Interval("x", -3, 5), Interval("n", 1, 6, whole=True)])
def test_both_ends_can_be_taken_and_nothing_beyond(setting):
    assert (setting.at(0), setting.at(1)) == (setting.low, setting.high)
    assert all(setting.low <= setting.at(share / 999) <= setting.high for share in range(1000))


def test_a_share_leads_back_to_its_value():
    for share in (0.1, 0.5, 0.9):
        assert LR.share(LR.at(share)) == pytest.approx(share, abs=1e-4)  # four digits of the value are kept


def test_each_whole_number_owns_an_equal_part():
    found = [Interval("n", 1, 4, whole=True).at((share + 0.5) / 400) for share in range(400)]
    assert [found.count(number) for number in (1, 2, 3, 4)] == [100] * 4


def test_values_are_typed_so_that_a_number_stays_of_its_kind():
    assert Interval("n", 1, 4, whole=True).text(3.0) == "3"
    assert LR.text(1.0) == "1.0"
    assert LR.typed() == "optimizer.lr=tag(log,interval(1e-06,10.0))"
    assert Listed("model/norm", ("none", "batch")).typed() == "model/norm=none,batch"


def test_corners_take_every_end_and_every_value():
    trials = corners([LR, Interval("n", 1, 4, whole=True), Listed("norm", ("none", "batch", "layer"))])
    assert [trial["norm"] for trial in trials] == ["none", "batch", "layer"]
    assert {float(trial["optimizer.lr"]) for trial in trials} == {1e-6, 10}
    assert {trial["n"] for trial in trials} == {"1", "4"}


def test_a_single_listed_value_has_one_corner():
    assert corners([Listed("norm", ("none",))]) == [{"norm": "none"}]


@pytest.mark.parametrize(("low", "high"), [(1, 1), (2, 1), (0, math.inf), (math.nan, 1)])
def test_a_range_that_does_not_rise_is_refused(low, high):
    with pytest.raises(ValueError, match=r"x: the range .* must rise and be finite"):
        Interval("x", low, high)


def test_a_logarithm_of_zero_is_refused():
    with pytest.raises(ValueError, match=r"x: a logarithmic range \(0 to 1\) must begin above 0; raise its lower end"):
        Interval("x", 0, 1, log=True)


def test_a_list_of_nothing_is_refused():
    with pytest.raises(ValueError, match="model: no value is listed; give some, such as model=A,B"):
        Listed("model", ())


def test_a_value_listed_twice_is_refused():
    with pytest.raises(ValueError, match="norm: the value batch is listed twice"):
        Listed("norm", ("batch", "none", "batch"))
