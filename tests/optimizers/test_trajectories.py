from functools import partial

import numpy as np
import pytest
import torch

from normscope.optimizers.newton import Newton
from normscope.optimizers.trajectories import ravine, rosenbrock, saddle, trajectory, two_minima


def test_gradient_descent_in_the_ravine_worked_out_by_hand():
    """Each coordinate is a geometric series: x_t = −7 (1 − 0.95/10)^t, y_t = 2 (1 − 2 · 0.95)^t."""
    way = trajectory(ravine, (-7, 2), partial(torch.optim.SGD, lr=0.95), 30)
    steps = np.arange(31)
    np.testing.assert_allclose(way, np.stack([-7 * 0.905**steps, 2 * (-0.9) ** steps], axis=1), rtol=1e-9)


@pytest.mark.parametrize(
    ("surface", "place", "height"),
    [
        (ravine, (0.0, 0.0), 0.0),
        (saddle, (0.0, 0.0), 0.0),
        (saddle, (0.0, 1.0), -0.25),
        (saddle, (0.0, -1.0), -0.25),
        (two_minima, (0.9601, 0.0), 0.2942),
        (two_minima, (-1.0356, 0.0), -0.3054),
        (rosenbrock, (1.0, 1.0), 0.0),
    ],
)
def test_a_surface_has_no_slope_where_its_picture_has_a_mark(surface, place, height):
    w = torch.tensor(place, requires_grad=True)
    value = surface(w)
    assert value.item() == pytest.approx(height, abs=1e-4)
    assert torch.autograd.grad(value, w)[0].abs().max() < 1e-3


def test_newton_reaches_the_bottom_of_the_ravine_in_one_step():
    make = partial(Newton, lr=1.0, damping=0.0, most_weights=2, mini_batches=False)
    np.testing.assert_allclose(trajectory(ravine, (-7, 2), make, 1)[1], [0, 0], atol=1e-12)
    np.testing.assert_allclose(trajectory(saddle, (-1.5, 0.01), make, 9)[-1], [0, 0], atol=1e-6)  # and stays there
