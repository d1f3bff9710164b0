import pytest

from normscope.errors import UsageError
from normscope.figures.look import arm_colour
from normscope.figures.subjects import subjects
from normscope.runs.reader import find_runs
from tests.fabricated import arms, fabricate


def test_two_arms_are_named_and_coloured_by_their_norm(tmp_path):
    arms(tmp_path, [0])
    found = {subject.label: subject.colour for subject in subjects(find_runs(tmp_path))}
    assert found == {"with BatchNorm": arm_colour("batch"), "without BatchNorm": arm_colour("none")}


def test_other_runs_are_named_by_what_differs(tmp_path):
    for lr in (0.01, 0.1):
        fabricate(tmp_path, "batch", 0, name=f"lr{lr}", optimizer={"lr": lr})
    found = subjects(find_runs(tmp_path))
    assert [subject.label for subject in found] == ["lr=0.01", "lr=0.1"]
    assert len({subject.colour for subject in found}) == 2


def test_equal_runs_are_named_by_their_folders(tmp_path):
    for name in ("first", "second"):
        fabricate(tmp_path, "batch", 0, name=name)
    assert [subject.label for subject in subjects(find_runs(tmp_path))] == ["first", "second"]


def test_more_runs_than_can_be_told_apart_are_refused(tmp_path):
    arms(tmp_path, range(3))
    with pytest.raises(UsageError, match="6 runs are too many for one picture; name at most 4"):
        subjects(find_runs(tmp_path))
