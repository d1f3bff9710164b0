"""A job in its folder: made-up surveys, which any process could have left at any point."""

import os
import signal

import numpy as np
import pytest
from matplotlib.figure import Figure

from normscope.errors import UsageError
from normscope.runs.folder import locked
from normscope.runs.reader import find_runs
from normscope.runs.summary import read_summary
from normscope.surveys.folder import carry_out, is_done
from normscope.surveys.survey import Conclusion, Survey

ORIGIN = {"job": "parabola", "options": {"points": 4}, "runs": [{"name": "a", "checkpoint_sha256": "0"}]}


def survey(measured, fail_at=None):
    """x² at four points; notes what it measures."""

    def measure(point):
        if point[0] == fail_at:
            raise RuntimeError("out of memory")
        measured.append(point[0])
        return (point[0] ** 2,)

    def conclude(table):
        return Conclusion("it is a parabola", {"most": float(table[:, 1].max())}, Figure((1, 1)))

    return Survey("four points", ("x", "y"), [(float(x),) for x in range(4)], measure, conclude)


def silent(done):
    pass


def test_a_job_leaves_its_table_its_picture_and_its_numbers(tmp_path, monkeypatch):
    told = []
    summary = carry_out(survey([]), ORIGIN, tmp_path / "job", told.append)
    assert told == [1, 2, 3, 4]
    assert summary["status"] == "finished"
    assert read_summary(tmp_path / "job")["metrics"] == {"most": 9.0}
    table = np.loadtxt(tmp_path / "job" / "parabola.csv", delimiter=",", skiprows=1)
    assert table.tolist() == [[0, 0], [1, 1], [2, 4], [3, 9]]
    assert (tmp_path / "job" / "parabola.png").read_bytes().startswith(b"\x89PNG")
    assert len(list((tmp_path / "job").glob("events.out.tfevents.*"))) == 1
    assert is_done(tmp_path / "job", ORIGIN)
    assert find_runs(tmp_path) == []  # no report takes it for a run
    (tmp_path / "job" / "parabola.png").unlink()
    assert not is_done(tmp_path / "job", ORIGIN)


def test_a_stopped_job_says_so_and_goes_on_with_what_is_left(tmp_path):
    def stop(done):
        if done == 2:
            os.kill(os.getpid(), signal.SIGINT)

    measured = []
    summary = carry_out(survey(measured), ORIGIN, tmp_path, stop)
    assert (summary["status"], summary["reason"]) == ("interrupted", "stopped by SIGINT after 2 of 4 points")
    assert not is_done(tmp_path, ORIGIN)
    assert carry_out(survey(measured), ORIGIN, tmp_path, silent)["went_on_from"] == 2
    assert measured == [0, 1, 2, 3]


def test_a_job_that_broke_leaves_the_reason_and_goes_on_too(tmp_path):
    measured = []
    with pytest.raises(RuntimeError):
        carry_out(survey(measured, fail_at=3), ORIGIN, tmp_path, silent)
    summary = read_summary(tmp_path)
    assert (summary["status"], summary["reason"]) == ("failed", "RuntimeError: out of memory")
    carry_out(survey(measured), ORIGIN, tmp_path, silent)
    assert measured == [0, 1, 2, 3]


@pytest.mark.parametrize("change", [{"options": {"points": 5}}, {"runs": [{"name": "a", "checkpoint_sha256": "1"}]}])
def test_other_options_or_a_run_trained_anew_start_over(tmp_path, change):
    measured = []
    carry_out(survey(measured), ORIGIN, tmp_path, silent)
    assert not is_done(tmp_path, ORIGIN | change)
    carry_out(survey(measured), ORIGIN | change, tmp_path, silent)
    assert measured == [0, 1, 2, 3] * 2


def test_two_processes_do_not_write_one_folder(tmp_path):
    with locked(tmp_path), pytest.raises(UsageError, match="written by another process"):
        carry_out(survey([]), ORIGIN, tmp_path, silent)
