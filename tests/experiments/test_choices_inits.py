"""What experiments/choices/inits.py claims, on runs whose losses are known."""

import numpy as np
import pytest

from normscope.claims import FEWEST
from normscope.experiment_files import loaded, source_of
from normscope.runs.reader import find_runs
from tests.fabricated import fabricate


def run_of(root, init, norm, seed, loss, **how):
    name, choices = f"{init}-{norm}-{seed}", {"init": init}
    fabricate(
        root, norm, seed, name=name, choices=choices, experiment="choices/inits", loss=loss,
        accuracy=lambda step: 0.1 + 0 * step, **how,
    )  # fmt: skip


def ending(root, ends):
    """Runs of constant losses: norm -> init -> loss."""
    for seed in range(FEWEST):
        for norm, finals in ends.items():
            for init, end in finals.items():
                run_of(root, init, norm, seed, lambda step, end=end: end + 0 * step)


def claim(root, name):
    verdicts = loaded(source_of("choices/inits")).claims(find_runs(root))
    return next(verdict for verdict in verdicts if verdict.claim == name)


def test_he_before_glorot_is_a_ratio_of_steps(tmp_path):
    """The mean of ten logged losses of 3 and 1 is below 1.84 once six are 1: 25 steps after the fall."""
    for seed in range(FEWEST):
        for init, begins in (("he_normal", 100), ("glorot_normal", 200)):
            run_of(tmp_path, init, "none", seed, lambda step, begins=begins: np.where(step < begins, 3.0, 1.0))
    found = claim(tmp_path, "A2")
    assert found.effect == pytest.approx(125 / 225)
    assert found.verdict == "reproduced"


def test_batchnorm_matters_by_the_range_over_the_inits(tmp_path):
    """Final losses 1 and 2 without, 1 and 1.25 with: a quarter of the range; zeros do not count."""
    ending(
        tmp_path,
        {
            "none": {"he_normal": 1, "gaussian": 2, "zeros": 9},
            "batch": {"he_normal": 1, "gaussian": 1.25, "zeros": 9},
        },
    )
    found = claim(tmp_path, "A3")
    assert (found.effect, found.verdict) == (0.25, "reproduced")


def test_a_sweep_that_is_not_over_does_not_narrow_the_range(tmp_path):
    """The widest init has not been run with BatchNorm yet; and another setting has no run from He's weights."""
    ending(
        tmp_path, {"none": {"he_normal": 1, "default": 1.1, "gaussian": 2}, "batch": {"he_normal": 1, "default": 1.1}}
    )
    run_of(tmp_path / "other", "gaussian", "none", 0, lambda step: 1 + 0 * step, batch_size=1)
    found = claim(tmp_path, "A3")
    assert (found.n, found.verdict) == (0, "undecided")
