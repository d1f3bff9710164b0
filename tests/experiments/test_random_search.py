"""Deep Learning from Scratch's random search, on trials whose scores are made up."""

import math
import shutil

import pytest

from normscope.errors import UsageError
from normscope.experiment_files import loaded, source_of
from normscope.runs.reader import find_runs
from normscope.searches.space import Interval
from tests.experiments.test_search import make

SPACE = [Interval("optimizer.lr", 1e-6, 1e-2, log=True), Interval("decay", 1e-8, 1e-4, log=True)]
SEEDS = range(5)


def searched(root, score, seeds=SEEDS):
    for seed in seeds:
        make(root, "random_search", "random", seed, SPACE, 100, score)
    return find_runs(root)


def judged(runs):
    return {found.claim: found for found in loaded(source_of("from_scratch/random_search")).claims(runs)}


def test_c6_looks_at_the_best_trial_and_at_the_best_fifth(tmp_path):
    """Best at 10^-2.5, an eighth of the range below its end; the best fifth lies within some 0.4 powers of it."""
    runs = searched(tmp_path, lambda lr: 0.8 - 0.1 * abs(math.log10(lr) + 2.5))
    found = judged(runs)
    assert {one.verdict for one in found.values()} == {"reproduced"}
    assert found["C6, border"].effect == pytest.approx(0.125, abs=0.02)
    assert -3.1 < found["C6, best fifth"].effect < -2.7
    figure = loaded(source_of("from_scratch/random_search")).plot(runs)
    assert "n = 5 searches of 100 trials" in figure._supxlabel.get_text().replace("\n", " ")


def test_c6_is_contradicted_by_rates_that_are_best_at_the_lower_end(tmp_path):
    found = judged(searched(tmp_path, lambda lr: 0.1 - 0.1 * math.log10(lr)))
    assert {one.verdict for one in found.values()} == {"contradicted"}


def test_a_search_that_goes_on_is_not_used(tmp_path):
    runs = searched(tmp_path, lambda lr: 0.5, seeds=[0])
    shutil.rmtree(runs[0].folder)
    module, left = loaded(source_of("from_scratch/random_search")), find_runs(tmp_path)
    assert {(one.verdict, one.note) for one in module.claims(left)} == {
        ("not run", "seed 0: 99 of 100 trials, not used")
    }
    with pytest.raises(UsageError, match="no random search has all its trials: nothing to draw"):
        module.plot(left)
