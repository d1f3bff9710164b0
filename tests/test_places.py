import os
from pathlib import Path

from normscope import places


def test_a_command_is_called_by_name_only_where_that_finds_this_environments_own(tmp_path, monkeypatch):
    own = tmp_path / "own"
    own.mkdir()
    (own / "tensorboard").touch(mode=0o755)
    monkeypatch.setattr(places.sys, "executable", str(own / "python"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(own))
    assert places.command("tensorboard") == "tensorboard"
    monkeypatch.setenv("PATH", os.devnull)
    assert Path(places.command("tensorboard")) == Path("own/tensorboard")
