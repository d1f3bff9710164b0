"""A frozen block thaws when the schedule says so, and a run that is taken up again does not notice."""

import os
import signal

import pytest
import torch

from normscope.runs.reader import read_run
from normscope.training.run import carry_out
from normscope.training.step import training_step
from normscope.training.thawing import Thawing
from tests.starts import finished, job_of
from tests.training.test_run import rows, same, weights_in

BLOCKS = (("stem",), ("block1",), ("block2", "shift"))
SCHEDULE = ["start.trained=6", "start.thaw_every=5"]
BUSY = [
    *SCHEDULE,
    "regularizer=[crop_flip,weight_decay,l2,pruning,ema]",
    "regularizer.pruning.constraint.every=1",
    "optimizer=adam",
    "steps=12",
    "start.lr_factor=0.5",
]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("starts") / "source"
    finished(folder)
    return folder


def test_the_uppermost_frozen_block_thaws_every_so_many_updates():
    thawing = Thawing(BLOCKS, at_first=1, every=10)
    assert [len(thawing.frozen(step)) for step in (0, 9, 10, 19, 20, 1000)] == [2, 2, 1, 1, 0, 0]
    assert thawing.frozen(10) == (("stem",),)
    assert [step for step in range(1000) if thawing.is_due(step)] == [0, 10, 20]


def test_without_a_schedule_nothing_thaws():
    thawing = Thawing(BLOCKS, at_first=2)
    assert thawing.frozen(0) == thawing.frozen(10**9) == (("stem",),)
    assert [step for step in range(100) if thawing.is_due(step)] == [0]
    assert not any(Thawing().is_due(step) for step in range(100))


def test_a_block_moves_from_the_update_on_at_which_it_thaws(source, tmp_path):
    job = job_of(source, *SCHEDULE, "optimizer=momentum", "steps=11")
    network, seen = job.trainee.network, {}
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}

    def look(step, metrics):
        moved = {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}
        seen[step] = {name.partition(".")[0] for name in moved}

    carry_out(job, tmp_path, look)
    above = {f"layer{number}" for number in range(3, 9)} | {"head"}
    assert [seen[step] - above for step in (1, 5, 6, 10, 11)] == [
        set(), set(), {"layer2"}, {"layer2"}, {"layer2", "layer1"},
    ]  # fmt: skip
    steps, learning = read_run(tmp_path).series("start/learning_blocks")
    assert (steps.tolist(), learning.tolist()) == ([0, 5, 10], [6, 7, 8])
    assert list(job.trainee.weights) == [name for name, _ in network.named_parameters()]


def test_a_run_goes_on_bit_for_bit_from_any_step(source, tmp_path):
    """The checkpoints lie before, at and after a thaw; the second interruption is the resumed run's own."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    carry_out(job_of(source, *BUSY), whole, lambda step, metrics: None)
    for stop in (3, 4, 5, 6, 10, 11):

        def interrupt(step, metrics, stop=stop):
            if step == stop:
                os.kill(os.getpid(), signal.SIGINT)

        summary = carry_out(job_of(source, *BUSY), broken, interrupt)
        assert (summary["status"], summary["step"]) == ("interrupted", stop)
    carry_out(job_of(source, *BUSY), broken, lambda step, metrics: None)
    assert same(weights_in(whole), weights_in(broken))
    assert rows(whole) == rows(broken)


@pytest.mark.parametrize("optimizer", ["sgd", "nesterov", "nadam", "radam", "adadelta", "adafactor"])
def test_every_optimizer_takes_up_what_has_thawed(source, optimizer):
    job = job_of(source, "start.trained=7", "start.thaw_every=2", f"optimizer={optimizer}")
    for step in range(4):
        job.plan.thawing.apply(job.trainee, step)
        training_step(job.trainee, *job.training.batch(job.batches.next()))
    taken = torch.load(source / "last.pt", weights_only=True)["training"]["network"]
    assert not torch.equal(job.trainee.weights["layer1.conv.weight"], taken["layer1.conv.weight"])
