"""config.yaml and summary.json hold what was written, and the environment says what ran."""

import json
import math
import os
import shutil
import subprocess

import pytest
import yaml

import normscope
from normscope.errors import UsageError
from normscope.runs.summary import environment, read_summary, source_commit, write_config, write_summary


def test_summary_comes_back_as_it_was(tmp_path):
    values = {"status": "finished", "step": 10, "metrics": {"test/accuracy": 0.1 + 0.2}, "git_commit": None}
    write_summary(tmp_path, values)
    assert read_summary(tmp_path) == values
    assert os.listdir(tmp_path) == ["summary.json"]


def test_numbers_that_json_does_not_have_become_null_and_come_back_as_nan(tmp_path):
    write_summary(
        tmp_path, {"status": "diverged", "metrics": {"a": math.nan, "b": -math.inf, "c": 1.0}, "x": [math.inf]}
    )
    strict = json.loads((tmp_path / "summary.json").read_text(), parse_constant=pytest.fail)
    assert strict["metrics"] == {"a": None, "b": None, "c": 1.0}
    summary = read_summary(tmp_path)
    assert math.isnan(summary["metrics"]["a"])
    assert math.isnan(summary["metrics"]["b"])
    assert summary["x"] == [None]


def test_no_summary_is_none(tmp_path):
    assert read_summary(tmp_path) is None


@pytest.mark.parametrize("content", [b"", b'{"status": "fin', b"\xff\xfe", b"[]", b"{}"])
def test_unreadable_summary_is_named(tmp_path, content):
    (tmp_path / "summary.json").write_bytes(content)
    with pytest.raises(UsageError, match=r"summary\.json.*delete it to run its config again"):
        read_summary(tmp_path)


def test_summary_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    write_summary(tmp_path, {"status": "interrupted"})
    monkeypatch.setattr(os, "fsync", lambda descriptor: os.open("/no/such/file", os.O_RDONLY))
    with pytest.raises(UsageError, match="cannot be written: No such file"):
        write_summary(tmp_path, {"status": "finished"})
    assert read_summary(tmp_path)["status"] == "interrupted"


def test_config_comes_back_as_it_was(tmp_path):
    config = {"seed": 0, "optimizer": {"lr": 1e-05, "betas": [0.9, 0.999]}, "name": "on", "größe": None, "n": "1e3"}
    write_config(tmp_path, config, {"model": "vgg11", "scale": None})
    read = yaml.safe_load((tmp_path / "config.yaml").read_text(encoding="utf-8"))
    assert read == {**config, "choices": {"model": "vgg11", "scale": None}}
    assert list(read) == [*config, "choices"]


def test_environment_names_versions_and_fits_into_json():
    found = environment()
    assert found["versions"]["normscope"] == normscope.__version__
    assert {"python", "torch", "numpy", "tensorboard"} <= found["versions"].keys()
    assert found["cpus"] >= 1
    assert json.loads(json.dumps(found)) == found


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_commit_is_that_of_the_checkout_which_tracks_the_source(tmp_path, monkeypatch):
    def git(*command):
        name = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
        return subprocess.run(["git", *name, *command], cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    source, installed = tmp_path / "source.py", tmp_path / "venv/installed.py"
    installed.parent.mkdir()
    installed.write_text("")
    source.write_text("")
    git("init")
    (tmp_path / ".gitignore").write_text("venv\n")
    git("add", ".")
    assert source_commit(source) == (None, None)  # nothing is committed yet
    git("commit", "-m", "first")
    head = git("rev-parse", "HEAD").strip()
    assert source_commit(source) == (head, False)
    assert source_commit(installed) == (None, None)
    monkeypatch.setenv("GIT_DIR", "/nowhere")  # as inside a hook of another checkout
    assert source_commit(source) == (head, False)
    source.write_text("changed")
    assert source_commit(source) == (head, True)


def test_source_without_git_has_no_commit(tmp_path, monkeypatch):
    (tmp_path / "source.py").write_text("")
    assert source_commit(tmp_path / "source.py") == (None, None)
    monkeypatch.setenv("PATH", "")
    assert source_commit(tmp_path / "source.py") == (None, None)
