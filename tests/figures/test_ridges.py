import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from normscope.figures.ridges import chosen, ridges, shape, share_at_zero, size

RELU = np.linspace(0, 4, 5), np.array([60, 20, 15, 5])


def test_at_most_so_many_rows_from_the_first_to_the_last():
    assert chosen(range(0, 101, 10), 6) == [0, 20, 40, 60, 80, 100]
    assert chosen([3, 3, 5], 6) == [3, 5]
    assert chosen([], 6) == []


def test_the_zeros_of_relu_are_left_out_and_their_share_told():
    places, _ = shape(*RELU, logarithmic=True)
    assert places.tolist() == pytest.approx([math.sqrt(2), math.sqrt(6), math.sqrt(12)])
    assert share_at_zero([(0, *RELU)]) == 0.6


def test_the_area_of_a_ridge_is_the_share_that_it_shows():
    edges, counts = RELU
    _, density = shape(edges, counts, logarithmic=True)
    assert (density * np.diff(np.log10(edges[1:]))).sum() == pytest.approx(0.4)
    _, density = shape(edges, counts, logarithmic=False)
    assert (density * np.diff(edges)).sum() == pytest.approx(1)


def test_narrow_bins_are_put_together_without_losing_any():
    edges = np.linspace(0, 1, 1001)
    places, density = shape(edges, np.ones(1000), logarithmic=True)
    assert len(places) < 50
    # A uniform law on (0, 1) has the density ln(10) x per power of ten; bins 0.07 wide follow it to 2 %.
    inner = (places > 0.02) & (places < 0.9)
    assert density[inner] == pytest.approx(math.log(10) * places[inner], rel=0.05)


def test_size_by_hand():
    assert size([(0, np.array([0.0, 1, 3]), np.array([3, 1]))]) == math.sqrt(2**2 / 4)
    assert size([(0, np.array([0.0, 1, 2]), np.array([9, 0]))]) == 0
    assert math.isnan(size([]))


def test_without_a_bin_at_zero_no_share_is_told():
    assert math.isnan(share_at_zero([(0, np.array([-1.0, 0, 1]), np.array([1, 1]))]))
    assert math.isnan(share_at_zero([]))


def drawn(arms):
    axis = Figure().subplots()
    return axis, ridges(axis, arms)


def test_positive_values_stand_on_a_logarithmic_axis():
    axis, any_drawn = drawn({"#0072B2": [(0, *RELU), (10, *RELU)]})
    assert any_drawn
    assert axis.get_xscale() == "log"
    assert [label.get_text() for label in axis.get_yticklabels()] == ["0", "10"]
    assert len(axis.lines) == 2


def test_negative_values_stand_on_a_linear_axis():
    axis, _ = drawn({"#0072B2": [(0, np.array([-1.0, 0, 1]), np.array([1, 2]))], "#D55E00": [(0, *RELU)]})
    assert axis.get_xscale() == "linear"


def test_every_ridge_has_the_same_height():
    axis, _ = drawn({"#0072B2": [(0, *RELU)], "#D55E00": [(0, RELU[0] / 100, RELU[1] * 7)]})
    assert len({line.get_ydata().max() for line in axis.lines}) == 1


def test_a_dead_layer_and_none_at_all_are_not_drawn():
    dead = 0, np.linspace(0, 1, 4), np.array([9, 0, 0])
    assert drawn({"#0072B2": [dead]})[1] is False
    assert drawn({"#0072B2": []})[1] is False
    assert drawn({})[1] is False
