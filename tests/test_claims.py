import math

import pytest

from normscope.claims import Claim, Part, decides, judge, not_run
from normscope.pairs import Pairs

CLAIM = Claim("X", "at least 5 points more", "10 points", "points")


class Seeded:
    """All that a verdict wants of a run."""

    def __init__(self, seed):
        self.seed = seed


def verdict_on(gains, **how):
    """The verdict on "at least 5", whose opposite is "below 0"."""
    group = Pairs("laptop", "mlp on sample", tuple((Seeded(i), Seeded(i)) for i in range(len(gains))), ("a remark",))
    part = Part(gains, lambda gain: gain >= 5, lambda gain: gain < 0)
    return judge(CLAIM, group, gains, [part], tie=0, **how)


@pytest.mark.parametrize(
    ("agreeing", "n", "decided"),
    [(4, 4, False), (5, 5, True), (4, 5, False), (6, 6, True), (5, 6, False), (7, 7, True), (6, 7, False),
     (7, 8, True), (6, 8, False), (9, 10, True), (8, 10, False)],
)  # fmt: skip
def test_so_many_pairs_decide(agreeing, n, decided):
    assert decides(agreeing, n) is decided


def test_five_of_five_reproduce():
    verdict = verdict_on([6, 7, 8, 9, 10])
    assert (verdict.verdict, verdict.effect, verdict.n, verdict.holds) == ("reproduced", 8, 5, 5)
    assert (verdict.low, verdict.high) == (6, 10)


def test_seven_of_eight_reproduce():
    assert verdict_on([-3, 6, 7, 8, 9, 10, 11, 12]).verdict == "reproduced"


def test_equality_meets_a_threshold():
    assert verdict_on([5] * 5).verdict == "reproduced"


def test_four_of_five_leave_it_undecided():
    verdict = verdict_on([4, 7, 8, 9, 10])
    assert verdict.verdict == "undecided"
    assert verdict.note == "the median meets the threshold, but only 4 of 5 pairs do; a remark"


def test_five_the_other_way_contradict():
    verdict = verdict_on([-1, -2, -3, -4, -5])
    assert (verdict.verdict, verdict.holds) == ("contradicted", 0)


def test_four_of_five_the_other_way_leave_it_undecided():
    verdict = verdict_on([6, -2, -3, -4, -5])
    assert verdict.verdict == "undecided"
    assert verdict.note.startswith("the median points the other way, but only 4 of 5 pairs do")


def test_too_weak_is_neither_reproduced_nor_contradicted():
    verdict = verdict_on([1, 2, 3, 4, 4.9] * 4)
    assert verdict.verdict == "undecided"
    assert verdict.note.startswith("the median misses the threshold without pointing the other way")


@pytest.mark.parametrize(
    ("gains", "why"),
    [
        ([], "no pairs, and fewer than 5 decide nothing"),
        ([99], "1 pair, and fewer than 5 decide nothing"),
        ([9, 9, 9, 9], "4 pairs, and fewer than 5 decide nothing"),
    ],
)
def test_fewer_than_five_are_undecided(gains, why):
    verdict = verdict_on(gains)
    assert verdict.verdict == "undecided"
    assert verdict.note == f"{why}; a remark"


def test_one_pair_has_an_effect_and_no_interval():
    verdict = verdict_on([9])
    assert (verdict.effect, verdict.low, verdict.high) == (9, -math.inf, math.inf)


def test_no_pair_has_no_effect():
    verdict = verdict_on([])
    assert math.isnan(verdict.effect)
    assert math.isnan(verdict.low)
    assert verdict.effects == ()


def test_a_treated_arm_that_diverges_takes_the_worst_rank():
    """Its gain is minus infinity: it counts against the claim, and one of eight does not overturn it."""
    assert verdict_on([-math.inf, 6, 7, 8, 9]).verdict == "undecided"
    assert verdict_on([-math.inf, 6, 7, 8, 9, 10, 11, 12]).verdict == "reproduced"
    assert verdict_on([-math.inf] * 5).verdict == "contradicted"


def test_a_reference_arm_that_always_diverges_reproduces():
    verdict = verdict_on([math.inf] * 5)
    assert (verdict.verdict, verdict.effect, verdict.low) == ("reproduced", math.inf, math.inf)


def test_ties_count_for_neither_side():
    assert verdict_on([math.nan, 6, 7, 8, 9]).verdict == "undecided"
    assert verdict_on([math.nan, 6, 7, 8, 9, 10, 11, 12]).verdict == "reproduced"
    assert verdict_on([math.nan, -6, -7, -8, -9]).verdict == "undecided"


def test_ties_alone_are_no_evidence():
    verdict = verdict_on([math.nan] * 9)
    assert verdict.verdict == "undecided"
    assert math.isnan(verdict.effect)
    assert (verdict.n, verdict.holds) == (9, 0)


def test_between_minus_infinity_and_infinity_nothing_is_known():
    verdict = verdict_on([-math.inf] * 3 + [math.inf] * 3)
    assert (verdict.verdict, verdict.low, verdict.high) == ("undecided", -math.inf, math.inf)


def test_every_part_of_a_claim_has_to_hold():
    group = Pairs("laptop", "", tuple((Seeded(i), Seeded(i)) for i in range(5)))
    fine = Part([9] * 5, lambda x: x >= 5, lambda x: x < 0)
    broken = Part([-1] * 5, lambda x: x >= 5, lambda x: x < 0)
    assert judge(CLAIM, group, [9] * 5, [fine, fine], tie=0).verdict == "reproduced"
    assert judge(CLAIM, group, [9] * 5, [fine, broken], tie=0).verdict == "contradicted"


def test_parts_that_fail_in_different_pairs_add_up():
    group = Pairs("laptop", "", tuple((Seeded(i), Seeded(i)) for i in range(8)))
    first = Part([9, 9, 9, 9, 9, 9, 9, 1], lambda x: x >= 5, lambda x: x < 0)
    second = Part([1, 9, 9, 9, 9, 9, 9, 9], lambda x: x >= 5, lambda x: x < 0)
    verdict = judge(CLAIM, group, [9] * 8, [first, second], tie=0)
    assert (verdict.verdict, verdict.holds) == ("undecided", 6)


def test_a_tie_of_each_part_counts_as_its_own():
    """Of a ratio that is 1: its median misses "at most a half", where a 0 would meet it."""
    group = Pairs("laptop", "", tuple((Seeded(i), Seeded(i)) for i in range(8)))
    gain = Part([9] * 8, lambda x: x >= 5, lambda x: x < 0)
    ratio = Part([math.nan] * 8, lambda x: x <= 0.5, lambda x: x > 1, tie=1)
    verdict = judge(CLAIM, group, [9] * 8, [gain, ratio], tie=0)
    assert verdict.note == "the median misses the threshold without pointing the other way"


def test_a_verdict_names_its_scale_claim_and_seeds():
    verdict = verdict_on([6, 7, 8, 9, 10], notes=["a note"], bound="<=")
    assert (verdict.scale, verdict.setting, verdict.claim, verdict.unit) == ("laptop", "mlp on sample", "X", "points")
    assert (verdict.statement, verdict.paper) == ("at least 5 points more", "10 points")
    assert verdict.effects == ((0, 6), (1, 7), (2, 8), (3, 9), (4, 10))
    assert verdict.note == "a note; a remark"
    assert verdict.bound == "<="


def test_a_value_too_few_is_refused():
    group = Pairs("laptop", "", ((Seeded(0), Seeded(0)),))
    with pytest.raises(ValueError, match="X: 2 values for 1 pairs; give one a pair, nan for a tie"):
        judge(CLAIM, group, [1, 2], [], tie=0)


def test_what_was_not_run_says_so():
    verdict = not_run(CLAIM, "paper", "no run of model=resnet*")
    assert (verdict.verdict, verdict.scale, verdict.n, verdict.note) == (
        "not run",
        "paper",
        0,
        "no run of model=resnet*",
    )
