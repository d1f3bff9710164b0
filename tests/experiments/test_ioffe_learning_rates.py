"""Five and thirty times the learning rate (Ioffe & Szegedy 2015), on runs for which the verdicts are known."""

import numpy as np
import pytest

from normscope.experiment_files import loaded, source_of
from normscope.runs.reader import find_runs
from tests.fabricated import fabricate

NAME = "ioffe_2015/learning_rates"
BASE = 0.02
# (norm, times the base rate) -> accuracy at the end, and the step from which on the run has it
PAPER = {
    ("none", 1): (0.722, 350),
    ("none", 5): (0.10, 0),
    ("none", 30): (0.10, 0),
    ("batch", 1): (0.727, 100),
    ("batch", 5): (0.730, 0),
    ("batch", 30): (0.748, 25),
}


def write(root, seeds, arms):
    """Runs that know nothing until a step, and from then on what they know in the end; one that knows 0 diverges."""
    for seed in seeds:
        for (norm, factor), (end, begins) in arms.items():
            fabricate(
                root,
                norm,
                seed,
                accuracy=lambda step, end=end, begins=begins: np.where(step >= begins, end, 0.1),
                status="finished" if end else "diverged",
                name=f"{norm}-{factor}-{seed}",
                experiment=NAME,
                optimizer={"lr": factor * BASE},
            )


def verdicts(root):
    return {found.claim: found for found in loaded(source_of(NAME)).claims(find_runs(root))}


def test_the_papers_numbers_reproduce_i5_to_i7(tmp_path):
    """A mean of three evaluations, 25 steps apart, passes where the third one does: 50 steps later."""
    write(tmp_path, range(5), PAPER)
    found = verdicts(tmp_path)
    expected = {
        "I5": 73.0 - 10.0,
        "I6, same rate": (100 + 50) / (350 + 50),
        "I6, x5": (0 + 50) / (100 + 50),
        "I7": 74.8 - 73.0,
    }
    for claim, effect in expected.items():
        assert found[claim].effect == pytest.approx(effect), claim
        assert (found[claim].verdict, found[claim].n) == ("reproduced", 5), claim
    assert "median 10 at x30 without, 74.8 with BatchNorm" in found["I5"].note


def test_the_opposite_contradicts_them(tmp_path):
    """Without BatchNorm five times the rate trains; BatchNorm is slower, and slower yet at x5; x30 knows less."""
    arms = PAPER | {
        ("none", 1): (0.72, 0),
        ("none", 5): (0.75, 0),
        ("batch", 1): (0.73, 100),
        ("batch", 5): (0.73, 200),
        ("batch", 30): (0.725, 300),
    }
    write(tmp_path, range(5), arms)
    assert {claim: found.verdict for claim, found in verdicts(tmp_path).items()} == dict.fromkeys(
        ["I5", "I6, same rate", "I6, x5", "I7"], "contradicted"
    )


def test_a_run_without_batchnorm_that_diverges_at_x5_has_learned_nothing(tmp_path):
    write(tmp_path, range(5), PAPER | {("none", 5): (0, 0), ("none", 30): (0, 0)})
    assert (verdicts(tmp_path)["I5"].verdict, verdicts(tmp_path)["I5"].effect) == ("reproduced", pytest.approx(63))


def test_batchnorm_that_never_gets_there_is_the_slowest_there_is(tmp_path):
    write(tmp_path, range(5), PAPER | {("batch", 1): (0.5, 0)})
    found = verdicts(tmp_path)
    assert (found["I6, same rate"].verdict, found["I6, same rate"].effect) == ("contradicted", np.inf)
    assert (found["I6, x5"].verdict, found["I6, x5"].effect) == ("reproduced", 0)


def test_a_rate_that_is_as_fast_early_is_not_slower(tmp_path):
    """I7 has two halves: x30 ends higher, but must also have been behind."""
    write(tmp_path, range(5), PAPER | {("batch", 30): (0.748, 0)})
    found = verdicts(tmp_path)["I7"]
    assert (found.verdict, found.holds) == ("undecided", 0)


def test_a_sweep_of_other_rates_says_nothing_of_five_times(tmp_path):
    write(tmp_path, range(5), {(norm, factor): (0.7, 0) for norm in ("none", "batch") for factor in (1, 2)})
    found = verdicts(tmp_path)["I5"]
    assert (found.verdict, found.n) == ("undecided", 0)
    assert "not used" in found.note


def test_the_figure_names_every_arm_and_its_end(tmp_path):
    write(tmp_path, range(2), PAPER)
    curves, ends = loaded(source_of(NAME)).plot(find_runs(tmp_path)).axes
    names = ["without", "without, x5", "without, x30", "BN", "BN, x5", "BN, x30"]
    assert [label.get_text() for label in ends.get_yticklabels()] == names
    assert {text.get_text() for text in curves.texts} >= set(names)
