"""Which runs a figure shows."""

import pytest

from normscope.errors import UsageError
from normscope.figures.arms import fullest, shown
from normscope.runs.reader import find_runs
from tests.fabricated import arms, fabricate


def test_of_equal_runs_of_a_seed_one_is_drawn(tmp_path):
    arms(tmp_path, [1, 0])
    fabricate(tmp_path, "batch", 0, name="a copy", device="cuda")
    fabricate(tmp_path, "batch", 2, status="interrupted")
    found = fullest(find_runs(tmp_path), ("none", "batch"))
    assert [run.folder.name for run in found.arms["batch"]] == ["a copy", "vgg11-batch-laptop-seed1"]
    assert "n = 2 without BatchNorm, n = 2 with BatchNorm" in found.caption()


def test_where_no_run_has_ended_nothing_is_drawn(tmp_path):
    arms(tmp_path, [0], status="interrupted")
    with pytest.raises(UsageError, match="no run with model/norm=none or batch has ended: nothing to draw"):
        shown(find_runs(tmp_path), ("none", "batch"))
