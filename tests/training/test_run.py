"""A run as a whole: probes leave no trace, arms are paired, kill -9 leaves no trace either."""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from normscope.assemble import assemble
from normscope.composed import composed
from normscope.errors import UsageError
from normscope.preflight import check_config
from normscope.runs.reader import find_runs
from normscope.training.evaluation import evaluate
from normscope.training.run import carry_out
from tests.commands import TINY

NOISY = ["regularizer=[crop_flip,weight_decay,l2,dropout]", "optimizer=momentum", "steps=6", "checkpoint_every=2"]


def job_of(*overrides):
    return assemble(*composed([*TINY, *overrides]))


def trained(folder, *overrides):
    job = job_of(*overrides)
    summary = carry_out(job, folder, lambda step, metrics: None)
    return job, summary


def weights_in(folder):
    return torch.load(folder / "last.pt", weights_only=True)["training"]


def same(left, right):
    """Equality of nested states, tensors bit for bit."""
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    return torch.equal(left, right) if isinstance(left, torch.Tensor) else left == right


def rows(folder, prefix=""):
    lines = (folder / "series.csv").read_text().splitlines()[1:]
    return [line for line in lines if line.split(",")[1].startswith(prefix)]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_probes_leave_no_trace(tmp_path, precision):
    extra = [*NOISY, f"precision={precision}"]
    trained(tmp_path / "with", "probe_every=1", *extra)
    trained(tmp_path / "without", "probe=[]", *extra)
    assert same(weights_in(tmp_path / "with"), weights_in(tmp_path / "without"))
    for series in ("train/", "test/"):
        assert rows(tmp_path / "with", series) == rows(tmp_path / "without", series)


def test_one_seed_is_one_curve(tmp_path):
    for name in ("first", "second"):
        trained(tmp_path / name, *NOISY)
    assert rows(tmp_path / "first") == rows(tmp_path / "second")
    trained(tmp_path / "other", *NOISY, "seed=1")
    assert rows(tmp_path / "first") != rows(tmp_path / "other")


def test_arms_of_one_seed_share_weights_and_batches():
    batch, none = job_of(), job_of("model/norm=none")
    shared = set(batch.trainee.weights) & set(none.trainee.weights)
    assert len(shared) >= 9  # 8 convolutions and the head
    assert all(torch.equal(batch.trainee.weights[name], none.trainee.weights[name]) for name in shared)
    assert all(torch.equal(batch.batches.next(), none.batches.next()) for _ in range(10))


def test_a_run_leaves_its_records(tmp_path):
    _, summary = trained(tmp_path / "outputs" / "run", "steps=8", "dataset.validation=20")
    assert summary["status"] == "finished"
    (run,) = find_runs(tmp_path / "outputs", None)
    assert run.config["optimizer"]["lr"] == 0.01
    assert run.choices["model/norm"] == "batch"
    assert run.series("train/loss")[0].tolist() == list(range(8))
    assert run.series("test/accuracy")[0].tolist() == [0, 4, 8]
    assert run.series("validation/accuracy")[0].tolist() == [0, 4, 8]
    assert run.series("final/test_accuracy")[1].tolist() == run.series("test/accuracy")[1][-1:].tolist()
    assert run.series("loss_landscape/max")[0].tolist() == [0, 4]
    assert [step for step, _, _ in run.histograms("activations/layer1")] == [0, 4]


def test_divergence_is_a_result_with_a_reason(tmp_path):
    _, summary = trained(tmp_path, "steps=30", "optimizer.lr=1e6", "model/norm=none", "init=he_normal")
    assert summary["status"] == "diverged"
    assert "train/" in summary["reason"]
    assert summary["step"] < 30


def test_a_rule_can_stop_the_training(tmp_path):
    from dataclasses import replace

    from normscope.regularizers.rules import Regularizers, TrainingRule

    class Enough(TrainingRule):
        def should_stop(self, metrics):
            return "enough" if "train/loss" in metrics else ""

    job = job_of("steps=8")
    job = replace(job, trainee=replace(job.trainee, regularizers=Regularizers(training=(Enough(),))))
    summary = carry_out(job, tmp_path, lambda step, metrics: None)
    assert (summary["status"], summary["reason"], summary["step"]) == ("finished", "enough", 4)


def killed_when(command, folder, is_reached):
    """Start a run, kill -9 once a condition on its folder holds; False if the run ended before."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"})
    while process.poll() is None:
        if is_reached(folder):
            process.send_signal(signal.SIGKILL)
            process.wait()
            return True
        time.sleep(0.005)
    return False


def test_kill_9_and_the_same_command_end_in_the_same_weights(tmp_path):
    overrides = [*TINY, *NOISY, "steps=60", "checkpoint_every=7", "probe_every=5"]

    def command(folder):
        return [sys.executable, "-m", "normscope", *overrides, f"hydra.run.dir={folder}"]

    def has_rows(count):
        return lambda folder: (folder / "last.pt").exists() and len(rows(folder)) > count

    subprocess.run(
        command(tmp_path / "whole"), check=True, stdout=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    kills = [killed_when(command(tmp_path / "killed"), tmp_path / "killed", has_rows(count)) for count in (20, 150)]
    assert any(kills)
    subprocess.run(
        command(tmp_path / "killed"), check=True, stdout=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    assert same(weights_in(tmp_path / "whole"), weights_in(tmp_path / "killed"))
    assert rows(tmp_path / "whole") == rows(tmp_path / "killed")


def test_an_interrupted_run_is_taken_up_again(tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    trained(whole, *NOISY)

    def interrupt(step, metrics):
        if step == 3:
            os.kill(os.getpid(), signal.SIGINT)

    summary = carry_out(job_of(*NOISY), broken, interrupt)
    assert (summary["status"], summary["step"]) == ("interrupted", 3)
    trained(broken, *NOISY)
    assert same(weights_in(whole), weights_in(broken))
    assert rows(whole) == rows(broken)


def test_training_images_are_scored_like_the_tests_and_change_nothing(tmp_path):
    """All 64 of them: what `evaluate` says of the final network in evaluation mode, without flips and dropout."""
    job, summary = trained(tmp_path / "with", *NOISY, "evaluate_training=64")
    trained(tmp_path / "without", *NOISY)
    trainee, images = job.trainee, job.training
    found = evaluate(
        trainee.network, images.images, images.labels, trainee.preprocess, loss=trainee.loss, precision="fp32"
    )
    assert summary["metrics"]["training_set/accuracy"] == pytest.approx(found.accuracy)
    assert summary["metrics"]["training_set/loss"] == pytest.approx(found.loss)
    for series in ("train/", "test/"):
        assert rows(tmp_path / "with", series) == rows(tmp_path / "without", series)


@pytest.mark.parametrize(
    ("count", "message"),
    [(-1, "evaluate_training=-1: must be at least 0"), (65, r"evaluate_training \(65\) must lie within 1 and 64")],
)
def test_more_training_images_than_there_are_cannot_be_scored(count, message):
    def begin():
        config, choices = composed([*TINY, f"evaluate_training={count}"])
        check_config(config)
        assemble(config, choices)

    with pytest.raises(UsageError, match=message):
        begin()
