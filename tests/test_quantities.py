import math

import numpy as np
import pytest

from normscope.quantities import (
    best_mean,
    final,
    mean_of,
    median_log_ratio,
    median_of,
    percentile_of,
    steps_until,
    steps_until_below,
    unless_diverged,
)
from normscope.runs.reader import read_run
from tests.fabricated import fabricate


@pytest.fixture
def run(tmp_path):
    """400 steps; `line` is the step itself, at every 25th of them: 0, 25, ..., 400."""
    return read_run(
        fabricate(tmp_path, "none", 0, series={"line": lambda step: step, "bent": lambda s: (s - 100.0) ** 2})
    )


def test_parts_are_shares_of_the_length(run):
    assert mean_of("line")(run) == 200
    assert mean_of("line", 0, 0.25)(run) == 50  # 0, 25, 50, 75, 100
    assert mean_of("line", 0.9, 1)(run) == pytest.approx(np.mean([375, 400]))


def test_medians_and_percentiles_are_numpys(run):
    values = (np.arange(0, 401, 25) - 100.0) ** 2
    assert median_of("bent")(run) == np.median(values)
    assert percentile_of("bent", 95)(run) == np.percentile(values, 95)


def test_a_median_of_log_ratios(run):
    steps = np.arange(100, 401, 25)
    assert median_log_ratio("bent", "line", 0.3, 1)(run) == pytest.approx(
        np.median(np.log((steps[1:] - 100.0) ** 2 / steps[1:]))
    )


def test_the_final_value_is_the_last(run):
    assert final("bent")(run) == 300**2


def test_the_best_mean_is_over_neighbours(run):
    assert best_mean("line", 2)(run) == 387.5
    assert best_mean("line", 100)(run) == 200  # there are 17


def test_steps_until_a_running_mean(run):
    assert steps_until("line", 100)(run) == 100
    assert steps_until("line", 100, window=3)(run) == 125  # the mean of 75, 100, 125
    assert steps_until("line", 1000)(run) == math.inf


def test_steps_until_a_running_mean_is_below(run):
    assert steps_until_below("bent", 2500)(run) == 50
    assert steps_until_below("bent", 0, window=2)(run) == math.inf


def test_a_value_stands_for_runs_that_diverged(run, tmp_path):
    diverged = read_run(fabricate(tmp_path, "none", 1, status="diverged", series={"line": lambda step: step}))
    quantity = unless_diverged(final("line"), -1.0)
    assert (quantity(run), quantity(diverged)) == (400, -1)


def test_what_was_not_measured_is_nan(run):
    for quantity in (
        mean_of("no"),
        median_of("no"),
        median_log_ratio("no", "no"),
        percentile_of("no", 5),
        final("no"),
        best_mean("no", 3),
    ):
        assert math.isnan(quantity(run))
    assert math.isnan(steps_until("no", 1)(run))
    assert math.isnan(steps_until_below("no", 1)(run))
    assert math.isnan(mean_of("line", 0.01, 0.02)(run))
