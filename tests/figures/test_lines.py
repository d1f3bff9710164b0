import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from normscope.figures.lines import aligned, band, between, label_ends, over_seeds, spread


def curve(*values):
    return np.arange(len(values)), np.array(values, dtype=float)


@pytest.fixture
def axis():
    return Figure().subplots()


def test_curves_of_different_length_are_aligned_by_step():
    steps, values = aligned([curve(1, 2, 3), (np.array([0, 2]), np.array([5.0, math.inf]))])
    assert steps.tolist() == [0, 1, 2]
    np.testing.assert_equal(values, [[1, 2, 3], [5, math.nan, math.nan]])


def test_the_median_ends_where_a_run_has_ended():
    """Two that go on would otherwise make the arm look better than its diverged third."""
    _, middle, low, high = over_seeds([curve(1, 2, 3), curve(3, 4, 5), curve(9, math.inf)])
    np.testing.assert_equal(middle, [3, math.nan, math.nan])
    np.testing.assert_equal(low, [1, math.nan, math.nan])
    np.testing.assert_equal(high, [9, math.nan, math.nan])


def test_nothing_has_no_median():
    assert [len(part) for part in over_seeds([])] == [0, 0, 0, 0]
    assert [len(part) for part in over_seeds([curve()])] == [0, 0, 0, 0]


def test_a_band_is_the_median_with_the_range_behind(axis):
    assert band(axis, [curve(1, 2), curve(5, 4), curve(2, 9)], "#0072B2") == 4
    assert axis.lines[0].get_ydata().tolist() == [2, 4]
    corners = axis.collections[0].get_paths()[0].vertices
    assert corners[:, 1].min() == 1
    assert corners[:, 1].max() == 9


def test_one_seed_is_a_line_without_a_band(axis):
    band(axis, [curve(1, 2)], "#0072B2")
    assert len(axis.lines) == 1
    assert len(axis.collections) == 0


def test_runs_that_stop_short_are_drawn_one_by_one_with_a_cross(axis):
    end = band(axis, [curve(1, 2, 3), curve(1, 7, math.inf)], "#0072B2")
    assert end == 5
    assert [line.get_marker() for line in axis.lines] == ["None", "None", "X"]
    assert axis.lines[2].get_xydata().tolist() == [[1, 7]]


def test_an_arm_without_a_finite_value_is_not_drawn(axis):
    assert math.isnan(band(axis, [curve(math.nan, math.inf)], "#0072B2"))
    assert math.isnan(band(axis, [], "#0072B2"))
    assert math.isnan(between(axis, [curve(math.nan)], [curve(1)], "#0072B2"))
    assert len(axis.lines) == 0


def test_between_fills_from_the_median_minimum_to_the_median_maximum(axis):
    end = between(axis, [curve(1, 1), curve(3, 3)], [curve(5, 5), curve(7, 9)], "#0072B2")
    assert end == (2 + 7) / 2
    assert [line.get_ydata().tolist() for line in axis.lines] == [[2, 2], [6, 7]]


def test_on_a_logarithmic_axis_the_middle_of_a_band_is_the_geometric_one(axis):
    axis.set_yscale("log")
    assert between(axis, [curve(1, 1)], [curve(100, 100)], "#0072B2") == pytest.approx(10)


def test_labels_far_apart_stay_where_their_lines_end():
    assert spread([0.2, 0.8], [0.1, 0.1]) == [0.2, 0.8]


def test_close_labels_move_apart_in_their_order():
    low, high = spread([0.52, 0.5], [0.2, 0.2])
    assert low - high == pytest.approx(0.2)


@pytest.mark.parametrize("heights", [[1, 1, 1], [0, 0, 0], [0.5, 0.49, 0.51], [0.9, 1.0, 0.1]])
def test_labels_never_overlap_nor_leave_the_axis(heights):
    found = sorted(spread(heights, [0.25] * 3))
    assert min(np.diff(found)) >= 0.25 - 1e-12
    assert found[0] >= 0.125 - 1e-12
    assert found[-1] <= 0.875 + 1e-12


def test_a_tall_label_needs_no_more_room_above_a_low_one():
    assert spread([0.5, 0.5], [0.4, 0.1]) == pytest.approx([0.5, 0.75])


def test_labels_stand_right_of_the_axis_at_the_height_of_their_lines(axis):
    axis.set_ylim(0, 10)
    label_ends(axis, [(5, "half", "k"), (math.nan, "nothing", "k")])
    assert [(text.get_text(), text.xy) for text in axis.texts] == [("half", (1, 0.5))]


def test_labels_know_a_logarithmic_axis(axis):
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_ylim(1, 100)
    label_ends(axis, [(10, "a", "k")])
    assert axis.texts[0].xy[1] == pytest.approx(0.5)


def test_drawn_labels_do_not_overlap():
    figure = Figure(figsize=(6, 3.2))
    axis = figure.subplots()
    axis.set_ylim(0, 1)
    label_ends(axis, [(0.5, "without\nBatchNorm", "k"), (0.51, "with\nBatchNorm", "k")])
    figure.draw_without_rendering()
    first, second = (text.get_window_extent() for text in axis.texts)
    assert not first.overlaps(second)


@pytest.mark.parametrize(("height", "rows"), [(3.2, 1), (6.4, 1), (13, 3)])
def test_labels_that_had_to_move_still_touch(height, rows):
    """On a high axis they once stood a sixth of it apart, far from where their lines end."""
    figure = Figure(figsize=(6, height), layout="constrained")
    axis = figure.subplots(rows, squeeze=False)[-1, 0] if rows == 1 else figure.subplots(rows)[-1]
    axis.set(ylim=(0, 1), xlabel="step", title="two\nlines")
    figure.supxlabel("a caption\nof two lines")
    label_ends(axis, [(0.5, "without\nBatchNorm", "k"), (0.51, "with\nBatchNorm", "k")])
    figure.draw_without_rendering()
    lower, upper = (text.get_window_extent() for text in axis.texts)
    assert 0 <= upper.y0 - lower.y1 < 0.5 * lower.height
