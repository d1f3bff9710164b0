import math

import numpy as np
import pytest

from normscope.experiment_files import loaded, source_of
from normscope.runs.reader import find_runs
from tests.fabricated import fabricate

NAME = "seminar/learning_rates"


@pytest.fixture
def module():
    return loaded(source_of(NAME))


def sweep(root, seeds, trains):
    """Runs at three rates; trains: arm -> the rates at which the loss falls."""
    for seed in seeds:
        for norm, rates in trains.items():
            for lr in (0.001, 0.01, 0.05):
                end = 1.0 if lr in rates else math.log(10)
                how = {"loss": lambda step, end=end: end + 0 * step, "optimizer": {"lr": lr}}
                fabricate(root, norm, seed, name=f"{norm}-{lr}-{seed}", experiment=NAME, **how)


def test_k3_counts_the_rates_that_leave_chance(tmp_path, module):
    sweep(tmp_path, range(5), {"none": {0.01}, "batch": {0.001, 0.01, 0.05}})
    (verdict,) = module.claims(find_runs(tmp_path))
    assert (verdict.verdict, verdict.effect, verdict.n) == ("reproduced", 2, 5)


def test_k3_is_undecided_where_both_train_at_all_rates(tmp_path, module):
    everywhere = {0.001, 0.01, 0.05}
    sweep(tmp_path, range(5), {"none": everywhere, "batch": everywhere})
    (verdict,) = module.claims(find_runs(tmp_path))
    assert (verdict.verdict, verdict.effect) == ("undecided", 0)


def test_the_figure_has_a_point_for_every_run(tmp_path, module):
    sweep(tmp_path, range(2), {"none": {0.01}, "batch": {0.001, 0.01}})
    figure = module.plot(find_runs(tmp_path))
    (axis,) = figure.axes
    points = [line for line in axis.lines if line.get_linestyle() == "None"]
    drawn = sum(np.isfinite(line.get_ydata()).sum() for line in points)
    assert drawn == 2 * 2 * 3
    assert "at lr 0.001, 0.01, 0.05" in figure._supxlabel.get_text().replace("\n", " ")
