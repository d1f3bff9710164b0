"""What the loop records of a step for its probes."""

import os
import signal
from dataclasses import replace

import pytest
import torch

from normscope.assemble import assemble
from normscope.composed import composed
from normscope.measurement import Measurement, Probe
from normscope.runs.reader import find_runs
from normscope.training.probing import Probing, recorded
from normscope.training.run import carry_out
from normscope.training.step import training_step
from normscope.when import every
from tests.commands import TINY

NOISY = ["regularizer=[crop_flip,weight_decay,l2,dropout]", "optimizer=momentum"]


def job_of(*overrides):
    return assemble(*composed([*TINY, *NOISY, *overrides]))


def record_of_one_step(*overrides):
    job = job_of(*overrides)
    batch = job.training.images[:16], job.training.labels[:16]
    before = {name: weight.detach().clone() for name, weight in job.trainee.weights.items()}
    update, record = recorded(training_step, job.trainee, batch, job.probing, job.probing.probes, step=0, lr=0.01)
    return before, update, record


def test_the_steps_own_gradient_is_the_records_to_the_last_bit():
    _, update, record = record_of_one_step()
    assert record.own is not None
    loss, gradient = record.gradient_at(record.weights)
    assert torch.equal(loss, update.objective)
    assert all(torch.equal(gradient[name], record.own[1][name]) for name in gradient)


@pytest.mark.parametrize("other", ["precision=bf16", "probe_precision=fp64"])
def test_a_gradient_of_another_precision_is_no_base(other):
    _, update, record = record_of_one_step(other)
    assert record.own is None
    assert record.base[0].dtype == (torch.float64 if "64" in other else torch.float32)
    assert record.base[0].item() == pytest.approx(update.objective.item(), rel=0.01)


def test_the_record_holds_the_weights_before_and_after():
    before, _, record = record_of_one_step("probe_precision=fp64")
    for name, weight in record.network.named_parameters():
        assert torch.equal(record.weights[name], before[name].double())
        assert torch.equal(record.updated[name], weight.detach().double())
    assert record.buffers["layer1.norm.running_mean"].dtype == torch.float64
    assert record.buffers["layer1.norm.num_batches_tracked"] == 0


def counting(record):
    """How often it was asked before."""
    asked = record.earlier.get("counting/asked", torch.zeros(()))
    return Measurement({"counting/asked": asked}, kept={"counting/asked": asked + 1})


@pytest.mark.parametrize("stop_at", [None, 5])
def test_what_a_probe_keeps_reaches_its_next_occasion_even_across_processes(tmp_path, stop_at):
    def tell(step, metrics):
        if step == stop_at:
            os.kill(os.getpid(), signal.SIGINT)

    for progress in (tell, lambda step, metrics: None):
        job = job_of("steps=8", "checkpoint_every=3")
        probing = replace(job.probing, probes=(Probe("counting", every(2), counting),))
        carry_out(replace(job, probing=probing), tmp_path / "outputs" / "run", progress)
    (run,) = find_runs(tmp_path / "outputs")
    assert run.series("counting/asked")[0].tolist() == [0, 2, 4, 6]
    assert run.series("counting/asked")[1].tolist() == [0, 1, 2, 3]


def test_only_probes_that_are_due_say_what_is_read():
    probing = Probing((Probe("often", every(2), counting), Probe("seldom", every(4), counting)))
    assert [probe.name for probe in probing.due(2)] == ["often"]
    assert [probe.name for probe in probing.due(4)] == ["often", "seldom"]
