"""Sweeps: nothing is lost, the table and the exit code tell."""

import signal
import subprocess
import sys
import time

from normscope.runs.summary import read_summary
from tests.commands import TINY, normscope, normscope_afresh, run_folders

QUICK = [*TINY, "steps=12", "probe=[]", "model=mlp"]


def statuses(outputs):
    return sorted(read_summary(folder)["status"] for folder in run_folders(outputs))


def test_a_sweep_runs_every_cell_and_skips_what_is_done(tmp_path):
    command = ["-m", *QUICK, "seed=0,1", "model/norm=none,batch"]
    first = normscope(*command, cwd=tmp_path)
    assert first.returncode == 0, first.stdout + first.stderr
    assert statuses(tmp_path / "outputs") == ["finished"] * 4
    assert "4 runs" in first.stdout
    stamps = {folder: (folder / "last.pt").stat().st_mtime_ns for folder in run_folders(tmp_path / "outputs")}
    second = normscope(*command, "seed=0,1,2", cwd=tmp_path)
    assert second.stdout.count("skipped") == 4
    assert len(run_folders(tmp_path / "outputs")) == 6
    assert all((folder / "last.pt").stat().st_mtime_ns == stamp for folder, stamp in stamps.items())


def test_a_diverged_run_loses_none_of_the_others_and_shows_in_the_exit_code(tmp_path):
    result = normscope("-m", *QUICK, "model/norm=none", "optimizer.lr=1e30,0.01", cwd=tmp_path)
    assert result.returncode == 3, result.stdout + result.stderr
    assert statuses(tmp_path / "outputs") == ["diverged", "finished"]
    assert "diverged: train/loss is" in result.stdout


def test_a_failed_run_loses_none_of_the_others_and_shows_in_the_exit_code(tmp_path):
    assert normscope("-m", *QUICK, "seed=0,1", cwd=tmp_path).returncode == 0
    broken, _ = run_folders(tmp_path / "outputs")
    (broken / "summary.json").unlink()
    (broken / "last.pt").write_bytes((broken / "last.pt").read_bytes()[:1000])
    result = normscope("-m", *QUICK, "seed=0,1,2", cwd=tmp_path)
    assert result.returncode == 1
    assert f"{broken.name}/last.pt" in result.stderr
    assert "delete it to start this run over" in result.stderr
    assert "Traceback" not in result.stderr
    assert len(run_folders(tmp_path / "outputs")) == 3


def test_runs_in_parallel_end_in_the_same_weights_as_one_after_the_other(tmp_path):
    for name, launcher in (("serial", []), ("parallel", ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"])):
        (tmp_path / name).mkdir()
        result = normscope_afresh("-m", *QUICK, "seed=0,1,2", *launcher, cwd=tmp_path / name)
        assert result.returncode == 0, result.stdout + result.stderr
    for folder in run_folders(tmp_path / "serial"):
        twin = tmp_path / "parallel" / folder.relative_to(tmp_path / "serial")
        assert (folder / "series.csv").read_text() == (twin / "series.csv").read_text()


def test_ctrl_c_stops_the_sweep_and_the_same_command_goes_on(tmp_path):
    words = ["-m", *QUICK, "steps=4000", "seed=0,1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "normscope", *words], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    while not list(tmp_path.rglob("series.csv")):
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert statuses(tmp_path / "outputs") == ["interrupted"]
    assert "stopped by SIGINT" in output


def test_the_same_value_twice_is_a_mistake(tmp_path):
    result = normscope("-m", *QUICK, "seed=0,0", cwd=tmp_path)
    assert result.returncode == 1
    assert "the same config" in result.stderr
