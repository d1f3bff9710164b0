import math
from pathlib import Path

import numpy as np
import pytest

from normscope.figures.surfaces import interpolation_figure, label_places, levels, line_figure, square_figure
from normscope.runs.reader import Run

STEPS = np.linspace(-1, 1, 11)


def run(seed=0):
    choices = {"model": "vgg11", "model/norm": "batch"}
    return Run(Path(f"run{seed}"), {"seed": seed}, choices, {"status": "finished", "step": 1200})


def bowl(height):
    return 0.2 + height * (STEPS[:, None] ** 2 + 2 * STEPS[None, :] ** 2)


@pytest.mark.parametrize(
    ("least", "most", "expected"),
    [
        (1.0, 2.0, [1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2]),
        (0.2, 4.0, [0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5]),
        (1.2, 100.4, [1, 2, 5, 10, 20, 50, 100, 200]),
        (0.01, 1e5, [0.01, 0.1, 1, 10, 100, 1e3, 1e4, 1e5]),
    ],
)
def test_levels_are_round_and_hold_the_values(least, most, expected):
    assert levels(least, most) == pytest.approx(expected)


@pytest.mark.parametrize("most", [1.001, 3, 9.9, 11, 1e3, 1e12, 3e38])
def test_there_are_about_a_dozen_levels_at_most(most):
    found = levels(1.0, most)
    assert found[0] <= 1 < most <= found[-1]
    assert 3 <= len(found) <= 14


def test_a_surface_without_slope_has_a_level():
    assert levels(2.0, 2.0) == [2, 3]


def test_a_label_stands_on_its_contour_whole_inside_the_square_and_off_the_cross():
    angles = np.linspace(0, 2 * math.pi, 400)
    circles = [np.stack([r * np.cos(angles), r * np.sin(angles)], axis=1) for r in (0.05, 0.5, 0.97, 1.6)]
    corner = circles[3][abs(circles[3]).max(axis=1) <= 1]
    places = label_places([circles[0], circles[1], circles[2], corner], 1.0)
    assert len(places) == 2  # neither the one under the cross nor the one in the corners
    assert places[0] == pytest.approx((0, 0.5), abs=0.01)
    assert math.hypot(*places[1]) == pytest.approx(0.97)
    assert abs(places[1][1]) < 0.95


def texts(figure):
    return [text.get_text() for axis in figure.axes for text in axis.texts]


def test_contours_bear_their_values_and_the_first_direction_goes_to_the_right():
    figure = square_figure(STEPS, bowl(1.0), "title")
    (axis,) = figure.axes
    assert {"0.5", "1", "1.5", "2"} <= set(texts(figure))
    assert axis.get_title(loc="left") == "title"
    assert axis.get_xlabel() == "first random direction, lengths of the filters"
    heights = axis.collections[1]  # the black lines
    one = heights.get_paths()[list(heights.levels).index(1.0)].vertices
    assert abs(one[:, 0]).max() > abs(one[:, 1]).max()  # the bowl is steeper along the second direction


def test_infinite_and_equal_losses_can_be_drawn(tmp_path):
    losses = bowl(1.0)
    losses[0, :3] = math.inf, math.nan, 3e38  # the largest float32
    square_figure(STEPS, losses, "").savefig(tmp_path / "a.png")
    square_figure(STEPS, np.full((11, 11), 2.3), "").savefig(tmp_path / "b.png")
    line_figure(STEPS, losses[:, 0], run(), "").savefig(tmp_path / "c.png")


def test_a_line_has_its_arms_colour_and_a_dot_at_the_weights():
    figure = line_figure(STEPS, 0.2 + STEPS**2, run(), "title")
    line, dot = figure.axes[0].lines
    assert line.get_color() == dot.get_color() == "#0072B2"
    assert (dot.get_xdata(), dot.get_ydata()) == ([0], [0.2])
    assert figure.axes[0].get_ylim()[0] == 0


def test_losses_far_apart_stand_on_a_logarithmic_axis():
    figure = line_figure(STEPS, 0.2 + 1e4 * STEPS**2, run(), "")
    assert figure.axes[0].get_yscale() == "log"


def between(middle_loss):
    alpha = np.linspace(-0.5, 1.5, 5)
    loss = np.array([2, 1, middle_loss, 1, 2.0])
    return {
        "alpha": alpha,
        "train_loss": loss,
        "train_accuracy": np.exp(-loss),
        "test_loss": loss + 0.5,
        "test_accuracy": np.array([0.2, 0.8, 0.3, 0.7, 0.2]),
    }


def test_the_title_says_what_lies_between_two_runs():
    figure = interpolation_figure([run(0), run(1)], between(3), 2.0)
    left, right = figure.axes
    assert left.get_title(loc="left") == (
        "vgg11 with BatchNorm, from seed=0 to seed=1:\nin between the training loss rises by 2 nats"
    )
    assert right.get_title(loc="left") == "The test accuracy is 80 % and 70 % at the ends,\n30 % half way"
    assert [label.get_text() for label in left.get_xticklabels()][1] == "0\nseed=0"
    assert texts(figure).count("training") == 2


def test_a_way_downhill_from_the_initial_weights_rises_nowhere():
    left, _ = interpolation_figure([run(0)], between(0.9), 0.0).axes
    assert left.get_title(loc="left") == (
        "vgg11 with BatchNorm, from step 0 to step 1,200:\nin between the training loss rises nowhere"
    )
