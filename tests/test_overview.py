"""What a sweep says at its end, of runs as of jobs."""

import pytest

from normscope import overview
from normscope.runs.summary import write_summary
from normscope.surveys import bar

REASON = "regularizer=[crop_flip] and [/tmp/data] do not fit"


def failed(root):
    """The folder of a run or a job whose reason holds brackets."""
    folder = root / "one"
    folder.mkdir()
    write_summary(folder, {"status": "failed", "reason": REASON, "seconds": 0.0})
    return folder


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")


def test_brackets_in_the_reason_of_a_run_are_shown(tmp_path, capsys):
    assert overview.conclude([failed(tmp_path)], None, tmp_path) == 1
    assert REASON in capsys.readouterr().out


def test_brackets_in_the_reason_of_a_job_are_shown(tmp_path, capsys):
    assert bar.conclude([failed(tmp_path)]) == 1
    assert REASON in capsys.readouterr().out


def test_a_folder_with_a_space_can_be_pasted(tmp_path, capsys):
    overview.conclude([], None, tmp_path / "my runs")
    bar.say_where([tmp_path / "my runs"])
    assert capsys.readouterr().out.count(f"--logdir '{tmp_path / 'my runs'}") == 2
