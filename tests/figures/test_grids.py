"""Panels over steps: their axes and which layers they show."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from normscope.figures.grids import Panel, by_depth, scaled, spread_out
from normscope.figures.subjects import Subject


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
    scaled(axis, [series(*values)], Panel("a quantity"))
    assert axis.get_yscale() == scale


def test_values_of_all_curves_choose_the_scale():
    axis = Figure().subplots()
    scaled(
        axis, [series(0.01, 1), series(-0.4, 0.9)], Panel("a quantity")
    )  # one layer's cosine alone would be on a logarithmic axis
    assert axis.get_yscale() == "linear"


def test_three_layers_are_spread_over_the_depth():
    layers = [f"layer{number}" for number in range(1, 9)]
    assert spread_out(layers, 3) == ["layer1", "layer5", "layer8"]
    assert spread_out(layers[:2], 3) == ["layer1", "layer2"]


def test_a_cosine_has_a_linear_axis_however_near_to_0_it_comes():
    axis = Figure().subplots()
    scaled(axis, [series(0.01, 1)], Panel("cosine", linear=True))
    assert axis.get_yscale() == "linear"


class Measured:
    """A run of one series."""

    def __init__(self, *values):
        self.values = values

    def series(self, name):
        return series(*self.values)


def test_labels_stand_where_lines_end_though_a_later_run_moves_the_scale():
    """They once stood where the first run's lines would have ended without the second."""
    figure = Figure(figsize=(10, 4))
    subjects = [Subject("a", "k", Measured(1, 2)), Subject("b", "k", Measured(1, 1000))]
    by_depth(figure, subjects, [Panel("norm", "{layer}/norm", reference=(5, "theory: 5"))], ["layer1"])
    first, second = figure.axes
    for axis, end in ((first, 2), (second, 1000)):
        (label,) = (text for text in axis.texts if text.get_text() == "layer1")
        height = float((axis.transScale + axis.transLimits).transform((1, end))[1])
        assert label.xy[1] == pytest.approx(height, abs=0.05)  # it stays inside the axis
        assert "theory: 5" in [text.get_text() for text in axis.texts]
