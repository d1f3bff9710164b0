import json
import math

import pytest

from normscope.claims import Claim
from normscope.criteria import difference, ratio
from normscope.families import best, count, families, largest, spread
from normscope.quantities import final
from normscope.runs.reader import find_runs
from normscope.verdicts import verdicts
from tests.fabricated import fabricate

RATES = (0.01, 0.03, 0.1)
CLAIM = Claim("X", "more rates train with BatchNorm", "3 against 1", "rates")


def trains(run):
    return final("test/accuracy")(run) > 0.5


def sweep(root, norm, seed, ends, **how):
    """Runs at several learning rates with these final accuracies; None: diverged."""
    for lr, end in zip(RATES, ends, strict=True):
        fate = {"status": "diverged"} if end is None else {"accuracy": lambda step, end=end: end + 0 * step}
        fabricate(root, norm, seed, name=f"{norm}-{lr}-{seed}", optimizer={"lr": lr}, **fate, **how)


def test_runs_that_differ_in_one_number_are_a_family(tmp_path):
    sweep(tmp_path, "none", 0, (0.1, 0.2, 0.3))
    sweep(tmp_path, "batch", 0, (0.1, 0.2, 0.3))
    sweep(tmp_path, "batch", 1, (0.1, 0.2, 0.3))
    found = families(find_runs(tmp_path), "optimizer.lr")
    assert sorted((family.choices["model/norm"], family.seed) for family in found) == [
        ("batch", 0),
        ("batch", 1),
        ("none", 0),
    ]
    assert all(tuple(family.members) == RATES for family in found)


def test_the_best_of_a_family_did_not_diverge(tmp_path):
    sweep(tmp_path, "none", 0, (0.1, 0.3, None))
    sweep(tmp_path, "none", 1, (None, None, None))
    one, other = sorted(families(find_runs(tmp_path), "optimizer.lr"), key=lambda family: family.seed)
    score = best(final("test/accuracy"))
    assert (score(one), score(other)) == (0.3, -math.inf)
    assert math.isnan(best(final("not there"))(one))


def test_what_a_family_counts(tmp_path):
    sweep(tmp_path, "none", 0, (0.6, 0.9, None))
    (family,) = families(find_runs(tmp_path), "optimizer.lr")
    assert count(trains)(family) == 2
    assert largest(trains)(family) == 0.03
    assert largest(lambda run: False)(family) == 0
    assert spread(final("test/accuracy"), worst=0)(family) == pytest.approx(0.9)


def test_the_spread_of_what_one_run_lacks_is_unknown(tmp_path):
    for lr in RATES:
        own = {} if lr == 0.03 else {"size": lambda step: 1 + 0 * step}
        fabricate(tmp_path, "none", 0, name=f"{lr}", optimizer={"lr": lr}, series=own)
    (family,) = families(find_runs(tmp_path), "optimizer.lr")
    assert math.isnan(spread(final("size"), worst=0)(family))


def test_families_are_paired_by_seed(tmp_path):
    for seed in range(5):
        sweep(tmp_path, "none", seed, (0.6, 0.1, None))
        sweep(tmp_path, "batch", seed, (0.6, 0.7, 0.8))
    found = families(find_runs(tmp_path), "optimizer.lr")
    (more,) = verdicts(CLAIM, found, [difference(count(trains), worst=-math.inf, at_least=1)])
    assert (more.verdict, more.effect, more.n) == ("reproduced", 2, 5)
    (larger,) = verdicts(CLAIM, found, [ratio(largest(trains), worst=0, at_least=4)])
    assert (larger.verdict, larger.effect) == ("reproduced", 10)


def test_families_of_other_values_are_no_pair(tmp_path):
    sweep(tmp_path, "none", 0, (0.6, 0.1, 0.1))
    fabricate(tmp_path, "batch", 0, optimizer={"lr": 0.01})
    found = families(find_runs(tmp_path), "optimizer.lr")
    made = verdicts(CLAIM, found, [difference(count(trains), worst=-math.inf, at_least=1)])
    assert {verdict.n for verdict in made} == {0}
    assert all("no ended run with model/norm" in verdict.note for verdict in made)


def judged(root):
    """The only verdict on the runs."""
    (made,) = verdicts(
        CLAIM, families(find_runs(root), "optimizer.lr"), [difference(count(trains), worst=0, at_least=1)]
    )
    return made


def test_a_family_with_an_interrupted_run_is_not_used(tmp_path):
    sweep(tmp_path, "none", 0, (0.6, 0.1, 0.1))
    sweep(tmp_path, "batch", 0, (0.6, 0.7, 0.8))
    folder = tmp_path / "seminar" / "bn_vs_no_bn" / "batch-0.03-0"
    summary = json.loads((folder / "summary.json").read_text())
    (folder / "summary.json").write_text(json.dumps(summary | {"status": "interrupted", "step": 70}))
    made = judged(tmp_path)
    assert made.n == 0
    assert "seed 0, batch: interrupted at step 70, not used" in made.note


def test_a_seed_that_lacks_a_value_is_told_of_and_makes_no_setting_of_its_own(tmp_path):
    for seed in range(3):
        sweep(tmp_path, "none", seed, (0.6, 0.1, 0.1))
    for seed in range(2):
        sweep(tmp_path, "batch", seed, (0.6, 0.7, 0.8))
    fabricate(tmp_path, "batch", 2, optimizer={"lr": 0.03})
    made = judged(tmp_path)
    assert made.n == 2
    assert "seed 2, batch: no run with optimizer.lr=0.01 or 0.1, not used" in made.note


def test_seed_0_is_a_seed_like_the_others_on_the_data_of_seed_0(tmp_path):
    data = {"dataset": {"seed": 0}}
    for seed in range(3):
        sweep(tmp_path, "none", seed, (0.6, 0.1, 0.1), **data)
    for seed in (1, 2):
        sweep(tmp_path, "batch", seed, (0.6, 0.7, 0.8), **data)
    fabricate(tmp_path, "batch", 0, optimizer={"lr": 0.03}, **data)
    made = judged(tmp_path)
    assert made.n == 2
    assert "seed 0, batch: no run with optimizer.lr=0.01 or 0.1, not used" in made.note


def test_the_machine_does_not_keep_a_family_apart(tmp_path):
    for lr, device in zip(RATES, ("cpu", "cuda", "cpu"), strict=True):
        fabricate(tmp_path, "none", 0, name=f"{lr}", optimizer={"lr": lr}, device=device)
    (family,) = families(find_runs(tmp_path), "optimizer.lr")
    assert tuple(family.members) == RATES


def test_a_value_that_few_seeds_have_is_left_out(tmp_path):
    for seed in range(3):
        sweep(tmp_path, "none", seed, (0.6, 0.1, 0.1))
        sweep(tmp_path, "batch", seed, (0.6, 0.7, 0.8))
    fabricate(tmp_path, "batch", 2, optimizer={"lr": 0.3})
    assert judged(tmp_path).effects == ((0, 2.0), (1, 2.0), (2, 2.0))
