"""What the command does where a run or a trial goes wrong."""

import math

import pytest

from normscope import main


def broken():
    raise RuntimeError("out of memory")


def test_whatever_fails_leaves_a_traceback_where_the_message_says(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(main, "_statuses", [])
    folder = tmp_path / "outputs" / "run"  # not there yet, as while a run is put together
    assert main._guarded(broken, folder) == "failed"
    assert f"failed: RuntimeError: out of memory\n  where: {folder / 'traceback.txt'};" in capsys.readouterr().err
    assert 'raise RuntimeError("out of memory")' in (folder / "traceback.txt").read_text()


def test_a_traceback_that_cannot_be_kept_is_shown(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(main, "_statuses", [])
    (tmp_path / "file").touch()
    assert main._guarded(broken, tmp_path / "file" / "run") == "failed"
    assert 'raise RuntimeError("out of memory")' in capsys.readouterr().err


@pytest.mark.parametrize(("score", "worst"), [("validation/accuracy", -math.inf), ("validation/loss", math.inf)])
def test_of_trials_after_an_interruption_nothing_is_said(tmp_path, capsys, monkeypatch, score, worst):
    monkeypatch.setattr(main, "_statuses", ["interrupted"])
    assert main._try({"score": score, "folds": 1}, {}, {}, tmp_path) == worst
    assert capsys.readouterr() == ("", "")
