import pytest

from normscope.claims import Claim
from normscope.criteria import difference, of_reference, of_treated, verdicts
from normscope.families import families
from normscope.runs.reader import find_runs
from tests.fabricated import fabricate

CLAIM = Claim("X1", "more of them", "2 more", "rates")
RATES = (0.1, 0.01, 1.0)


def sweep(root, seeds, rates=RATES, **how):
    for seed in seeds:
        for lr in rates:
            for norm in ("none", "batch"):
                fabricate(root, norm, seed, name=f"{norm}-{lr}-{seed}", optimizer={"lr": lr}, **how)


def test_a_family_holds_the_runs_of_a_seed_in_the_order_of_the_values(tmp_path):
    sweep(tmp_path, range(3))
    (group,) = families(find_runs(tmp_path), "optimizer.lr")
    assert [pair[0].seed for pair in group.pairs] == [0, 1, 2]
    none, batch = group.pairs[1]
    assert list(none.members) == list(batch.members) == [0.01, 0.1, 1.0]
    assert {run.seed for run in none.members.values()} == {1}
    assert {run.choices["model/norm"] for run in batch.members.values()} == {"batch"}


def test_runs_that_differ_in_more_are_families_of_their_own(tmp_path):
    sweep(tmp_path, [0])
    sweep(tmp_path / "other", [0], batch_size=32)
    found = families(find_runs(tmp_path), "optimizer.lr")
    assert [len(group.pairs) for group in found] == [1, 1]
    assert {group.setting.rpartition("=")[2] for group in found} == {"32", "128"}


def test_a_seed_that_lacks_a_value_is_left_out_and_told_of(tmp_path):
    sweep(tmp_path, range(2))
    sweep(tmp_path, [2], rates=RATES[:2])
    (group,) = families(find_runs(tmp_path), "optimizer.lr")
    assert group.seeds == (0, 1)
    assert group.remarks == ("seed 2: runs with 2 and 2 of 3 values of optimizer.lr have ended, not used",)


def test_a_diverged_run_is_a_member_and_an_interrupted_one_is_not(tmp_path):
    sweep(tmp_path, [0], rates=[0.1])
    sweep(tmp_path, [0], rates=[1.0], status="diverged")
    assert len(families(find_runs(tmp_path), "optimizer.lr")[0].pairs) == 1
    sweep(tmp_path, [0], rates=[2.0], status="interrupted")
    assert len(families(find_runs(tmp_path), "optimizer.lr")[0].pairs) == 0


def test_a_claim_may_be_about_all_values_of_a_setting(tmp_path):
    sweep(tmp_path, range(5))

    def ended_high(family):
        return float(sum(run.series("test/accuracy")[1][-1] > 0.5 for run in family.members.values()))

    criteria = [difference(ended_high, worst=0, at_least=2)]
    (found,) = verdicts(CLAIM, find_runs(tmp_path), criteria, over="optimizer.lr")
    assert (found.effect, found.n, found.verdict) == (3, 5, "reproduced")


def last(run):
    return float(run.series("test/accuracy")[1][-1])


def test_a_number_of_one_run_is_held_against_a_threshold(tmp_path):
    """Without BatchNorm the fabricated runs end at 0.1, with it at 0.6."""
    for seed in range(5):
        fabricate(tmp_path, "none", seed)
        fabricate(tmp_path, "batch", seed)
    runs = find_runs(tmp_path)
    (found,) = verdicts(
        CLAIM, runs, [of_reference(last, worst=0, at_most=0.2), of_treated(last, worst=0, at_least=0.5)]
    )
    assert (found.effect, found.verdict) == (pytest.approx(0.1), "reproduced")
    (other,) = verdicts(CLAIM, runs, [of_reference(last, worst=0, at_least=0.2)])
    assert other.verdict == "contradicted"
    (weak,) = verdicts(CLAIM, runs, [of_reference(last, worst=0, at_least=0.2, tie=0.05)])
    assert weak.verdict == "undecided"


def test_runs_of_one_option_make_a_claim_about_each_of_them(tmp_path):
    for seed in range(5):
        fabricate(tmp_path, "batch", seed)
    criteria = [of_treated(last, worst=0, at_least=0.5)]
    (found,) = verdicts(CLAIM, find_runs(tmp_path), criteria, reference="batch", treated="batch")
    assert (found.n, found.verdict, found.note) == (5, "reproduced", "")
    (none,) = verdicts(CLAIM, find_runs(tmp_path), criteria, reference="layer", treated="layer")
    assert (none.verdict, none.note) == ("not run", "no run with model/norm=layer")


def test_an_arm_may_be_a_value(tmp_path):
    sweep(tmp_path, range(5), rates=(0.1, 0.01))
    runs = [run for run in find_runs(tmp_path) if run.choices["model/norm"] == "batch"]
    criteria = [difference(last, worst=0, at_least=-0.1)]
    (found,) = verdicts(CLAIM, runs, criteria, arm="optimizer.lr", reference="0.01", treated="0.1")
    assert (found.n, found.effect) == (5, 0.0)
