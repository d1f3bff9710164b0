"""What only a GPU can show; skipped elsewhere."""

import contextlib
from dataclasses import replace

import pytest
import torch

from normscope.assemble import assemble
from normscope.captured_gradient import CapturedGradient
from normscope.composed import composed
from normscope.precision import float32_products
from normscope.record import eager_gradient
from normscope.runs.reader import read_run
from normscope.training.capture import CapturedStep
from normscope.training.probing import recorded
from normscope.training.run import carry_out
from normscope.training.step import training_step
from normscope.vectors import moved
from tests.commands import TINY

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

RULES = ["regularizer=[crop_flip,weight_decay,dropout]", "dataset.train_size=640"]
OPTIMIZERS = [
    "sgd",
    "momentum",
    "nesterov",
    "adagrad",
    "rmsprop",
    "adam",
    "adamw",
    "nadam",
    "adamax",
    "radam",
    "adadelta",
]


def losses_of(take_step, *overrides, steps=12):
    job = assemble(*composed([*TINY, *RULES, *overrides]))
    losses = []
    with float32_products("ieee"):
        for step in range(steps):
            for group in job.trainee.optimizer.param_groups:
                group["lr"].fill_(0.01 * (step + 1))
            losses.append(take_step(job.trainee, *job.training.batch(job.batches.next())).loss.clone())
    return torch.stack(losses)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("norm", ["none", "batch"])
def test_a_captured_graph_gives_the_losses_of_the_eager_step(optimizer, norm):
    extra = [f"optimizer={optimizer}", f"model/norm={norm}"]
    torch.testing.assert_close(
        losses_of(CapturedStep(), *extra), losses_of(training_step, *extra), rtol=1e-4, atol=1e-5
    )


def test_a_step_is_captured_anew_when_a_block_thaws(tmp_path):
    """Both captures are reached: four updates and more before the thaw and after it."""
    carry_out(assemble(*composed([*TINY, *RULES, "steps=1"])), tmp_path / "source", lambda step, metrics: None)
    start = ["start=run", f"start.run={tmp_path / 'source'}", "start.trained=7", "start.thaw_every=6"]

    def losses(take, folder):
        extra = [*start, "steps=12", "optimizer=momentum", "start.lr_factor=0.5", "probe=[]"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("normscope.training.loop.step_taker", lambda device, optimizer: take())
            carry_out(assemble(*composed([*TINY, *RULES, *extra])), folder, lambda step, metrics: None)
        return read_run(folder).series("train/loss")[1]

    captured, eager = losses(CapturedStep, tmp_path / "captured"), losses(lambda: training_step, tmp_path / "eager")
    assert captured == pytest.approx(eager, rel=1e-3)


@pytest.mark.parametrize("take_step", [training_step, CapturedStep], ids=["eager", "captured"])
def test_a_step_never_waits_for_the_device(take_step):
    job = assemble(*composed([*TINY, *RULES, "optimizer=momentum"]))
    take = take_step() if take_step is CapturedStep else take_step
    for _ in range(5):  # allocations, kernel choices and the capture itself may wait
        take(job.trainee, *job.training.batch(job.batches.next()))
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(5):
            take(job.trainee, *job.training.batch(job.batches.next()))
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_a_gpu_run_resumes_where_it_was(tmp_path):
    def run(folder, steps):
        overrides = [*TINY, *RULES, "steps=12", "checkpoint_every=6", "optimizer=adam"]
        job = assemble(*composed(overrides))
        seen = []

        def stop(step, metrics):
            seen.append(metrics["train/loss"])
            if step == steps:
                raise RuntimeError("killed")

        with contextlib.suppress(RuntimeError):
            carry_out(job, folder, stop)
        return seen

    whole = run(tmp_path / "whole", None)
    run(tmp_path / "broken", 8)
    assert run(tmp_path / "broken", None) == pytest.approx(whole[6:], rel=1e-3)


@pytest.mark.parametrize("regularizer", ["[crop_flip]", "[dropout]"])
def test_a_captured_gradient_is_the_eager_one(regularizer):
    job = assemble(*composed([*TINY, f"regularizer={regularizer}", "dataset.train_size=640"]))
    take = CapturedGradient()
    for step in range(3):
        batch = job.training.batch(job.batches.next())
        record = recorded(training_step, job.trainee, batch, job.probing, (), step=step, lr=0.01)[1]
        for size in (0.0, 0.01, 0.02):
            there = moved(record.weights, record.base[1], -size)
            loss, gradient = replace(record, take_gradient=take).gradient_at(there)
            expected, eager = replace(record, take_gradient=eager_gradient).gradient_at(there)
            torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-6)
            torch.testing.assert_close(gradient, eager, rtol=1e-3, atol=1e-5)
