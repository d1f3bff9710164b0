"""Panels that compare arms."""

import numpy as np

from normscope.figures.look import new_figure
from normscope.figures.panels import covariate_shift


class Measured:
    """A run of a shift that begins large and of a cosine that begins near 0."""

    status = "finished"

    def series(self, name):
        return np.arange(3), np.array([0.01, 0.8, 0.9] if name.endswith("cosine") else [10.0, 1.0, 0.1])


def test_a_cosine_near_0_does_not_make_its_axis_logarithmic():
    with new_figure(12, 5) as figure:
        row = figure.subplots(1, 2)
        covariate_shift(row, {"batch": [Measured()]}, "layer3")
    assert [axis.get_yscale() for axis in row] == ["log", "linear"]
    assert row[1].get_title(loc="left") == "Cosine of layer3's gradient before and after\n0.8 with BatchNorm"
