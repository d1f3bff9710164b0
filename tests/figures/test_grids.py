"""Panels over steps: their axes and which layers they show."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from normscope.figures.grids import scaled, spread_out


def series(*values):
    return np.arange(len(values)), np.array(values, float)


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ((1, 10, 31), "log"),
        ((1, 10, 29), "linear"),
        ((0, 1, 100), "linear"),  # a logarithmic axis would lose the 0
        ((-80_000, 500, 900), "symlog"),
        ((-0.5, 0.2, 0.9), "linear"),  # cosines
        ((1, np.nan, np.inf, 31), "log"),
        ((np.nan,), "linear"),
    ],
)
def test_an_axis_is_logarithmic_where_values_are_far_apart(values, scale):
    axis = Figure().subplots()
    scaled(axis, [series(*values)])
    assert axis.get_yscale() == scale


def test_values_of_all_curves_choose_the_scale():
    axis = Figure().subplots()
    scaled(axis, [series(0.01, 1), series(-0.4, 0.9)])  # one layer's cosine alone would be on a logarithmic axis
    assert axis.get_yscale() == "linear"


def test_three_layers_are_spread_over_the_depth():
    layers = [f"layer{number}" for number in range(1, 9)]
    assert spread_out(layers, 3) == ["layer1", "layer5", "layer8"]
    assert spread_out(layers[:2], 3) == ["layer1", "layer2"]
