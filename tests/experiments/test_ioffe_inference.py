"""The population's statistics against running averages, on runs for which the verdicts are known."""

import numpy as np
import pytest

from normscope.experiment_files import loaded, source_of
from normscope.runs.reader import find_runs
from tests.fabricated import fabricate

NAME = "ioffe_2015/inference"
FLIP = {"flip": {"data": {"flip": 0.5}}}
POPULATION = {"population_statistics": {"training": {"_target_": "PopulationStatistics"}}}


def write(root, seeds, apart, status="finished"):
    """Pairs of runs of 400 steps; apart: learning rate -> step -> points by which the population's score is higher."""
    for seed in seeds:
        for lr, points in apart.items():
            for population in (False, True):
                fabricate(
                    root,
                    "batch",
                    seed,
                    accuracy=lambda step, points=points, add=population: 0.5 + add * points(step) / 100,
                    status=status,
                    name=f"{lr}-{population}-{seed}",
                    experiment=NAME,
                    optimizer={"lr": lr},
                    regularizer=FLIP | (POPULATION if population else {}),
                )


def verdicts(root):
    found = loaded(source_of(NAME)).claims(find_runs(root))
    return {(verdict.claim, verdict.setting.rpartition("=")[2]): verdict for verdict in found}


def fading(points):
    """So many points at first, a tenth of a point less every 25 steps, and none in the end."""
    return lambda step: np.maximum(points - step / 250, 0)


def test_distances_that_fade_reproduce_i11(tmp_path):
    """By 25, 50, 75 steps: 0.9, 0.8, 0.7 and 3.9, 3.8, 3.7 points; over all 16 scores 4.5 and 48.1 together."""
    write(tmp_path, range(5), {0.01: fading(1.0), 0.3: lambda step: np.where(step < 400, 4 - step / 250, 0.1)})
    found = verdicts(tmp_path)
    assert {verdict.verdict for verdict in found.values()} == {"reproduced"}
    assert found["I11, end", "0.01"].effect == pytest.approx(0)
    assert found["I11, end", "0.3"].effect == pytest.approx(0.1)
    assert found["I11, early", "0.01"].effect == pytest.approx(0.8)
    assert found["I11, early", "0.3"].effect == pytest.approx(3.8 - 0.1)
    ((_, last),) = [item for item in found.items() if item[0][0] == "I11, fast"]
    assert last.effect == pytest.approx((48.1 - 4.5) / 16)


def test_distances_that_grow_contradict_i11(tmp_path):
    write(tmp_path, range(5), {0.01: lambda step: step / 100, 0.3: lambda step: step / 200})
    assert {verdict.verdict for verdict in verdicts(tmp_path).values()} == {"contradicted"}


def test_worse_counts_as_much_as_better(tmp_path):
    write(tmp_path, range(5), {0.01: lambda step: -0.5 + 0 * step})
    found = verdicts(tmp_path)["I11, end", "vgg11 on sample, 400 steps"]
    assert (found.verdict, found.effect) == ("contradicted", pytest.approx(0.5))


def test_a_training_that_diverged_has_no_end(tmp_path):
    write(tmp_path, range(5), {0.01: fading(1.0)}, status="diverged")
    found = verdicts(tmp_path)["I11, end", "vgg11 on sample, 400 steps"]
    assert (found.verdict, found.n, found.holds) == ("undecided", 5, 0)


def test_the_figure_has_a_panel_for_each_rate_and_one_for_the_distance(tmp_path):
    write(tmp_path, range(2), {0.01: fading(1.0), 0.3: fading(4.0)})
    *scores, difference = loaded(source_of(NAME)).plot(find_runs(tmp_path)).axes
    assert [axis.get_title(loc="left") for axis in scores] == ["lr 0.01", "lr 0.3"]
    low, high = (line for line in difference.lines if len(line.get_xdata()) > 2)
    assert low.get_ydata()[:2] == pytest.approx([0.9, 0.8])
    assert high.get_ydata()[-1] == pytest.approx(4 - 400 / 250)
