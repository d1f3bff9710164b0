"""When a run stands at chance."""

import math

import numpy as np
import pytest

from normscope.chance import at_chance
from normscope.runs.reader import find_runs
from tests.fabricated import fabricate


@pytest.mark.parametrize(("leaves", "reason"), [(100, ""), (185, " is still at chance at step 200")])
def test_half_of_the_part_is_to_come_after_the_plateau(tmp_path, leaves, reason):
    """400 steps, logged at every fifth; the fifth value from 100 on is that of step 120, from 185 on of step 205. Steps
    100 to 300 have their middle at 200."""
    fabricate(tmp_path, "none", 0, loss=lambda step: np.where(step < leaves, math.log(10), 2.19))
    (run,) = find_runs(tmp_path)
    assert at_chance(0.25, 0.75)(run) == (f"{run.folder.name}{reason}" if reason else "")


def test_a_loss_that_hardly_falls_has_not_left(tmp_path):
    fabricate(tmp_path, "none", 0, loss=lambda step: math.log(10) - 0.09 + 0 * step)
    (run,) = find_runs(tmp_path)
    assert at_chance(0, 1)(run)
    assert at_chance(0, 1, classes=11)(run) == ""
