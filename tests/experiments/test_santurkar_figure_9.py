"""The histograms of the deep linear network, from runs for which they are known."""

import numpy as np
import pytest

from normscope.experiment_files import loaded, runs_behind, source_of
from normscope.runs.reader import find_runs
from tests.fabricated import add_histograms, fabricate

NAME = "santurkar_2018/figure_9"
LAYERS = ("layer1", "layer11", "layer24")


def write(root, norm, reach):
    """A run whose layers all put out values between minus a half and the whole of a number."""
    folder = fabricate(root, norm, 0, experiment=runs_behind(NAME), choices={"model": "deep_linear"})
    add_histograms(folder, np.array([-reach / 2, 0, reach]), np.array([1, 2]), layers=LAYERS)


def test_a_row_for_each_layer_and_a_column_for_each_network(tmp_path):
    write(tmp_path, "none", 12.0)
    write(tmp_path, "batch", 3.0)
    axes = loaded(source_of(NAME)).plot(find_runs(tmp_path)).axes
    assert [axis.get_title(loc="left") for axis in axes] == [
        f"{layer} {arm}: within ±{reach}"
        for layer in LAYERS
        for arm, reach in (("without BatchNorm", 12), ("with BatchNorm", 3))
    ]


def test_the_reach_is_the_largest_value_on_either_side_at_any_step():
    module = loaded(source_of(NAME))
    counts = np.array([1])
    assert module.reach([(0, np.array([-1.0, 4.0]), counts), (9, np.array([-5.0, 2.0]), counts)]) == 5
    assert np.isnan(module.reach([]))


def test_a_run_without_histograms_says_so_in_its_panels(tmp_path):
    fabricate(tmp_path, "none", 0, experiment=runs_behind(NAME), choices={"model": "deep_linear"})
    module = loaded(source_of(NAME))
    axes = module.plot(find_runs(tmp_path)).axes
    assert axes[0].get_title(loc="left") == "layer1 without BatchNorm: was not measured"


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_nothing_is_claimed(tmp_path, norm):
    write(tmp_path, norm, 12.0)
    assert loaded(source_of(NAME)).claims(find_runs(tmp_path)) == []
