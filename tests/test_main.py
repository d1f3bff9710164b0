"""What the command does where a run or a trial goes wrong."""

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
