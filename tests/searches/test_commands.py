"""Searches as their users make them."""

import importlib.util
import os
import shlex
import signal
import subprocess
import sys
import time

import pytest

from normscope.runs.summary import read_summary
from tests.commands import TINY, normscope, run_folders

QUICK = [*TINY, "evaluate_every=100", "model=mlp", "model/norm=none", "probe=[]", "steps=60", "checkpoint_every=20"]
QUICK += ["dataset.validation=20", "optimizer.lr=tag(log,interval(1e-3,1e9))"]  # two thirds of it diverge
RANDOM = ["search=random", "search.trials=4"]
TPE = ["search=tpe", "search.trials=6", "hydra.sweeper.sampler.n_startup_trials=2"]
without_optuna = pytest.mark.skipif(
    importlib.util.find_spec("optuna") is None, reason="needs Optuna: pip install 'normscope[search]'"
)


def table(cwd):
    """All trials, without the seconds."""
    (path,) = cwd.glob("outputs/search/*/trials.csv")
    rows = [line.split(",") for line in path.read_text().splitlines()]
    return [row[:2] + row[3:] for row in rows]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A random search that nothing interrupts."""
    cwd = tmp_path_factory.mktemp("whole")
    result = normscope(*RANDOM, *QUICK, cwd=cwd)
    assert result.returncode == 0, result.stdout + result.stderr
    return cwd, result.stdout


def kill_in_the_second_trial(command, cwd):
    process = subprocess.Popen(
        [sys.executable, "-m", "normscope", *command],
        cwd=cwd,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    while len(list(cwd.glob("outputs/*/*/*/last.pt"))) < 2:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()


def resumed(command, cwd, reference):
    """Repeat a killed search; its table must be that of the uninterrupted one, and no finished trial be run again."""
    before = {folder: read_summary(folder) for folder in run_folders(cwd)}
    ended = {folder: summary for folder, summary in before.items() if summary}
    begun = [folder for folder in before if folder not in ended and (folder / "last.pt").exists()]
    assert len(ended) < len(reference) - 1
    result = normscope(*command, cwd=cwd)
    assert result.returncode == 0, result.stdout + result.stderr
    assert table(cwd) == reference
    assert {folder: read_summary(folder) for folder in ended} == ended
    assert all(read_summary(folder)["resumed_at"] > 0 for folder in begun)


def test_a_search_resumed_after_kill_9_repeats_no_trial_and_loses_none(tmp_path, whole):
    kill_in_the_second_trial([*RANDOM, *QUICK], tmp_path)
    resumed([*RANDOM, *QUICK], tmp_path, table(whole[0]))


@without_optuna
def test_tpe_proposes_the_same_trials_after_kill_9_because_it_is_told_the_same_scores(tmp_path):
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    assert normscope(*TPE, *QUICK, cwd=tmp_path / "whole").returncode == 0
    kill_in_the_second_trial([*TPE, *QUICK], tmp_path / "killed")
    resumed([*TPE, *QUICK], tmp_path / "killed", table(tmp_path / "whole"))


def test_a_diverged_trial_is_a_bad_trial_and_no_failure(whole):
    cwd, output = whole
    statuses = [row[1] for row in table(cwd)[1:]]
    assert set(statuses) == {"finished", "diverged"}
    assert ": no validation/accuracy" in output
    assert (cwd / "outputs" / "search" / "random-seed0" / "search.png").stat().st_size > 10_000


def test_no_trial_looks_at_the_test_set_and_the_best_does_once_it_is_trained_for_good(whole):
    cwd, output = whole
    names = {name for folder in run_folders(cwd / "outputs" / "search") for name in read_summary(folder)["metrics"]}
    assert "validation/accuracy" in names
    assert not any("test" in name for name in names)
    (line,) = [line for line in output.splitlines() if line.startswith("To train the best for good")]
    assert normscope(*shlex.split(line.partition("test set: ")[2])[1:], cwd=cwd).returncode == 0
    (final,) = (cwd / "outputs" / "single").iterdir()
    metrics = read_summary(final)["metrics"]
    assert metrics["validation/accuracy"] == float(table(cwd)[1][0])
    assert "test/accuracy" in metrics


def test_another_search_of_the_same_name_is_refused(whole):
    result = normscope(*RANDOM, *QUICK, "batch_size=8", cwd=whole[0])
    assert result.returncode == 1
    assert "holds another search (it differs in fixed, config.batch_size); give this one a name" in result.stderr


@pytest.mark.skipif(importlib.util.find_spec("optuna") is not None, reason="Optuna is installed")
def test_a_method_whose_package_is_missing_says_how_to_get_it(tmp_path):
    result = normscope(*TPE, *QUICK, cwd=tmp_path)
    assert result.returncode == 1
    assert "hydra_optuna_sweeper is not installed; python -m pip install 'normscope[search]'" in result.stderr
