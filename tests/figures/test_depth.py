import numpy as np
import pytest
from matplotlib.figure import Figure

from normscope.figures.depth import by_layer, histograms_by_layer, layer_histograms, numbered, over_depth
from normscope.runs.reader import find_runs
from tests.fabricated import add_histograms, fabricate


@pytest.fixture
def runs(tmp_path):
    """Two runs of eleven layers whose std halves from each to the next, and of a head that has none."""
    for seed in range(2):
        series = {f"std/layer{layer}": lambda step, layer=layer: 2.0**-layer + step for layer in range(1, 12)}
        folder = fabricate(tmp_path, "batch", seed, series=series | {"std/head": lambda step: 1.0 + step}, steps=50)
        layers = ("layer10", "layer2", "head")
        add_histograms(folder, np.array([-1.0, 0.0, 1.0]), np.array([1, 3]), steps=(0, 25), layers=layers)
    return find_runs(tmp_path)


def test_layers_come_in_the_order_of_their_numbers():
    assert numbered(["layer10", "head", "layer2", "layer", "block1.layer3"]) == {2: "layer2", 10: "layer10"}


def test_the_first_value_of_each_layer_is_taken(runs):
    layers, values = by_layer(runs[0], "std/{layer}")
    assert layers.tolist() == list(range(1, 12))
    np.testing.assert_array_equal(values, 2.0 ** -np.arange(1, 12))


def test_the_first_histogram_of_each_layer_is_taken(runs):
    (second, edges, counts), (tenth, *_) = layer_histograms(runs[0], "activations")
    assert (second, tenth) == (2, 10)
    assert (edges.tolist(), counts.tolist()) == ([-1, 0, 1], [1, 3])


def test_values_far_apart_are_drawn_on_a_logarithmic_axis_unless_it_has_limits(runs):
    free, limited = Figure().subplots(1, 2)
    over_depth(free, {"batch": runs}, "std/{layer}", "std", "Activations")
    over_depth(limited, {"batch": runs}, "std/{layer}", "std", "Activations", (0, 1))
    assert (free.get_yscale(), limited.get_yscale()) == ("log", "linear")
    assert limited.get_ylim() == (0, 1)
    assert [text.get_text() for text in free.texts] == ["with\nBatchNorm"]


def test_an_arm_without_histograms_leaves_its_axis_empty(runs, tmp_path):
    bare = fabricate(tmp_path / "bare", "none", 0)
    axes = Figure().subplots(1, 2)
    histograms_by_layer(axes, {"batch": runs, "none": find_runs(bare)}, "activations", "activation")
    assert [label.get_text() for label in axes[0].get_yticklabels()] == ["2", "10"]
    assert not axes[1].has_data()
    assert len(axes[1].get_yticks()) == 0
