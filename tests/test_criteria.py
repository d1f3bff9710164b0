import math

import numpy as np
import pytest

from normscope.claims import Claim
from normscope.criteria import Criterion, difference, ratio, times_the_steps
from normscope.quantities import steps_until
from normscope.runs.reader import find_runs
from normscope.verdicts import verdicts
from tests.fabricated import fabricate

FIVE = range(5)
CLAIM = Claim("X1", "with BatchNorm it is larger", "twice", "x")


def last(name):
    """The last value of a series, nan where there is none."""

    def quantity(run):
        values = run.series(name)[1]
        return float(values[-1]) if len(values) else math.nan

    return quantity


def pair(root, seed, none, batch, **how):
    """A pair whose series `size` ends at these values."""
    for norm, value in (("none", none), ("batch", batch)):
        fabricate(root, norm, seed, series={"size": lambda step, value=value: value + 0 * step}, **how)


def only(found):
    assert len(found) == 1
    return found[0]


def test_a_ratio_is_of_the_treated_to_the_reference(tmp_path):
    for seed in FIVE:
        pair(tmp_path, seed, none=2.0, batch=5.0 + seed)
    found = only(verdicts(CLAIM, find_runs(tmp_path), [ratio(last("size"), worst=0, at_least=2)]))
    assert (found.verdict, found.effect, found.n, found.holds) == ("reproduced", 3.5, 5, 5)
    assert found.effects[0] == (0, 2.5)


def test_a_difference_is_the_treated_minus_the_reference(tmp_path):
    for seed in FIVE:
        pair(tmp_path, seed, none=5.0, batch=2.0)
    found = only(verdicts(CLAIM, find_runs(tmp_path), [difference(last("size"), worst=math.inf, at_least=1)]))
    assert (found.verdict, found.effect) == ("contradicted", -3.0)


def test_at_most_is_a_threshold_from_above(tmp_path):
    for seed in FIVE:
        pair(tmp_path, seed, none=10.0, batch=6.0)
    runs = find_runs(tmp_path)
    assert only(verdicts(CLAIM, runs, [ratio(last("size"), worst=math.inf, at_most=0.7)])).verdict == "reproduced"
    weak = only(verdicts(CLAIM, runs, [ratio(last("size"), worst=math.inf, at_most=0.5)]))
    assert weak.verdict == "undecided"
    assert "misses the threshold without pointing the other way" in weak.note


def test_what_a_threshold_allows_is_not_the_opposite(tmp_path):
    """A loss of at most 4 is claimed: of losses of 1, 2, 5, 5 and 5 two meet it, and only three speak against it."""
    for seed, lost in enumerate((1.0, 2.0, 5.0, 5.0, 5.0)):
        pair(tmp_path, seed, none=0.0, batch=lost)
    found = only(verdicts(CLAIM, find_runs(tmp_path), [difference(last("size"), worst=math.inf, at_most=4)]))
    assert (found.verdict, found.holds) == ("undecided", 2)
    assert "only 3 of 5 pairs do" in found.note


def test_a_pair_must_meet_every_criterion(tmp_path):
    for seed in FIVE:
        for norm, first, second in (("none", 1.0, 4.0), ("batch", 3.0, 3.0)):
            series = {"first": lambda step, v=first: v + 0 * step, "second": lambda step, v=second: v + 0 * step}
            fabricate(tmp_path, norm, seed, series=series)
    criteria = [ratio(last(name), worst=0, at_least=2) for name in ("first", "second")]
    runs = find_runs(tmp_path)
    assert only(verdicts(CLAIM, runs, criteria[:1])).verdict == "reproduced"
    assert only(verdicts(CLAIM, runs, criteria)).verdict == "contradicted"


def test_a_diverged_run_takes_the_worst_rank_and_is_told_of(tmp_path):
    for seed in FIVE:
        fabricate(tmp_path, "none", seed, status="diverged")
        fabricate(tmp_path, "batch", seed, series={"size": lambda step: 3 + 0 * step})
    steps = ratio(last("size"), worst=math.inf, at_most=0.7)
    found = only(verdicts(CLAIM, find_runs(tmp_path), [steps]))
    assert (found.verdict, found.effect) == ("reproduced", 0.0)
    assert "seed 4: vgg11-none-laptop-seed4 diverged" in found.note


def test_two_diverged_runs_are_a_tie(tmp_path):
    for seed in FIVE:
        for norm in ("none", "batch"):
            fabricate(tmp_path, norm, seed, status="diverged")
    runs = find_runs(tmp_path)
    for criterion in (
        ratio(last("size"), worst=math.inf, at_most=0.7),
        difference(last("size"), worst=-math.inf, at_least=3),
    ):
        found = only(verdicts(CLAIM, runs, [criterion]))
        assert (found.verdict, found.holds) == ("undecided", 0)


def test_a_run_whose_series_cannot_tell_is_left_out_and_told_of(tmp_path):
    for seed in FIVE:
        pair(tmp_path, seed, none=2.0, batch=6.0)
    for norm in ("none", "batch"):
        fabricate(tmp_path, norm, 5)
    found = only(verdicts(CLAIM, find_runs(tmp_path), [ratio(last("size"), worst=0, at_least=2)]))
    assert (found.n, found.verdict) == (5, "reproduced")
    assert "seed 5: what is measured is not there, not used" in found.note


def test_every_scale_has_its_own_verdict(tmp_path):
    for seed in FIVE:
        pair(tmp_path, seed, none=2.0, batch=6.0)
        pair(tmp_path, seed, none=2.0, batch=1.0, choices={"scale": "paper"})
    found = verdicts(CLAIM, find_runs(tmp_path), [ratio(last("size"), worst=0, at_least=2)])
    assert [(each.scale, each.verdict) for each in found] == [("laptop", "reproduced"), ("paper", "contradicted")]


def test_arms_that_nobody_ran_are_not_run(tmp_path):
    pair(tmp_path, 0, none=2.0, batch=6.0)
    criterion = ratio(last("size"), worst=0, at_least=2)
    found = only(verdicts(CLAIM, find_runs(tmp_path), [criterion], reference="l1", treated="l2"))
    assert (found.verdict, found.note) == ("not run", "no run with model/norm=l1 or model/norm=l2")


def test_a_number_of_both_runs_can_be_a_criterion(tmp_path):
    """The share of the steps at which the reference is above the treated one."""
    for seed in FIVE:
        fabricate(tmp_path, "none", seed, series={"size": lambda step: 5 + 0 * step})
        fabricate(tmp_path, "batch", seed, series={"size": lambda step: np.where(step < 100, 9, 1)})

    def share(reference, treated):
        return float((reference.series("size")[1] > treated.series("size")[1]).mean())

    found = only(verdicts(CLAIM, find_runs(tmp_path), [Criterion(share, tie=0.5, at_least=0.7)]))
    assert (found.verdict, found.effect) == ("reproduced", pytest.approx(13 / 17))


def test_a_criterion_has_one_threshold():
    with pytest.raises(ValueError, match="one threshold"):
        difference(last("size"), worst=0)
    with pytest.raises(ValueError, match="one threshold"):
        ratio(last("size"), worst=0, at_least=1, at_most=2)


def arrivals(root, seed, none, batch, **how):
    """A pair whose series `there` turns to 1 at these steps of 100; None never does."""
    for norm, step in (("none", none), ("batch", batch)):
        arrives = math.inf if step is None else step
        fabricate(
            root, norm, seed, steps=100, series={"there": lambda steps, at=arrives: (steps >= at).astype(float)}, **how
        )


def speed(root, at_most=0.5):
    return only(verdicts(CLAIM, find_runs(root), [times_the_steps(steps_until("there", 1), at_most=at_most)]))


def test_steps_are_those_of_the_treated_run_over_those_of_the_reference(tmp_path):
    for seed in FIVE:
        arrivals(tmp_path, seed, none=100, batch=25)
    found = speed(tmp_path)
    assert (found.verdict, found.effect, found.bound) == ("reproduced", 0.25, "")


def test_a_reference_that_never_gets_there_has_taken_all_its_steps(tmp_path):
    for seed in FIVE:
        arrivals(tmp_path, seed, none=None, batch=25)
    found = speed(tmp_path)
    assert (found.verdict, found.effect, found.bound) == ("reproduced", 0.25, "<=")
    assert "in 5 of 5 pairs the other run never gets there, the ratio is a bound" in found.note


def test_getting_there_at_the_last_moment_shows_no_speed(tmp_path):
    """The other might have got there a step later: 0.75 is a bound, and the threshold is 0.5."""
    for seed in FIVE:
        arrivals(tmp_path, seed, none=None, batch=75)
    found = speed(tmp_path)
    assert (found.verdict, found.effect, found.bound) == ("undecided", 0.75, "<=")


def test_never_getting_there_where_the_reference_does_is_slower(tmp_path):
    for seed in FIVE:
        arrivals(tmp_path, seed, none=25, batch=None)
    found = speed(tmp_path)
    assert (found.verdict, found.effect, found.bound) == ("contradicted", math.inf, "")


def test_two_that_never_get_there_are_a_tie(tmp_path):
    for seed in FIVE:
        arrivals(tmp_path, seed, none=None, batch=None)
    found = speed(tmp_path)
    assert (found.verdict, found.bound) == ("undecided", "")
    assert math.isnan(found.effect)
    assert "5 of 5 pairs are a tie: no evidence" in found.note
