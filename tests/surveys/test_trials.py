"""Short trainings from one state: nothing that was tried before shows."""

import csv
from collections import defaultdict

import pytest
import torch

from normscope.assemble import assemble
from normscope.composed import composed
from normscope.parts import seed_of
from normscope.surveys.trials import Beginning, Learnt, few_of
from normscope.training.recording import Images
from normscope.training.run import carry_out
from tests.commands import TINY

SMALL = [*TINY, "model=mlp", "probe=[]", "regularizer=[crop_flip,l2,dropout,ema]", "optimizer=adagrad"]
STEPS = {"batch_size": 16, "steps": 5}


def prepared(*overrides):
    return assemble(*composed([*SMALL, *overrides]))


def test_a_trial_is_the_beginning_of_its_run_bit_for_bit(tmp_path):
    carry_out(prepared("steps=6"), tmp_path, lambda step, metrics: None)
    written = defaultdict(list)
    for row in csv.DictReader((tmp_path / "series.csv").open()):
        written[row["name"]].append(float(row["value"]))
    job = prepared("steps=6")
    found = Beginning.of(job).trial(job.training, batch_size=16, steps=6, lr=0.01, seed=seed_of(0, "order"))
    for name in ("train/loss", "train/objective", "train/accuracy"):
        assert found[name] == written[name]


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adagrad", "adam", "adafactor"])
def test_a_trial_does_not_depend_on_those_before(optimizer):
    job = prepared(f"optimizer={optimizer}")
    start = Beginning.of(job)
    first = start.trial(job.training, lr=0.1, **STEPS)
    start.trial(job.training, lr=1e9, **STEPS)
    start.trial(job.training, lr=0.0, **STEPS)
    assert start.trial(job.training, lr=0.1, **STEPS) == first


def test_at_rate_0_every_loss_is_that_of_the_initial_weights():
    job = prepared("regularizer=[]")
    start, some = Beginning.of(job), few_of(job.training, 16)
    first = start.trial(some, lr=1.0, **STEPS)["train/loss"][0]
    assert start.trial(some, lr=0.0, **STEPS)["train/loss"] == pytest.approx(
        [first] * 5
    )  # in other orders of the images


def test_it_ends_where_the_loss_is_not_finite():
    job = prepared("model/norm=none", "optimizer=sgd")
    losses = Beginning.of(job).trial(job.training, batch_size=16, steps=50, lr=1e30)["train/loss"]
    assert len(losses) < 10
    assert not torch.tensor(losses[-1]).isfinite()
    assert torch.tensor(losses[:-1]).isfinite().all()


def test_it_ends_when_the_rule_says_so():
    rule = Learnt(bound=0.5)
    assert not rule.should_stop({})
    assert not rule.should_stop({"train/loss": 0.4, "train/accuracy": 0.95})
    assert not rule.should_stop({"train/loss": 0.5, "train/accuracy": 1.0})
    assert rule.should_stop({"train/loss": 0.4, "train/accuracy": 1.0})
    assert rule.should_stop({"train/loss": 0.4})  # regression

    job = prepared("regularizer=[]")
    some = few_of(job.training, 10)
    found = Beginning.of(job).trial(some, batch_size=10, steps=500, lr=0.05, until=rule)
    assert found["train/loss"][-1] < 0.5 <= found["train/loss"][-2] or found["train/accuracy"][-2] < 1
    assert found["train/accuracy"][-1] == 1


def test_a_few_images_are_of_all_classes():
    labels = torch.arange(100) % 10
    images = Images(torch.arange(100, dtype=torch.uint8)[:, None, None, None], labels)
    some = few_of(images, 20)
    assert some.labels.bincount().tolist() == [2] * 10
    assert torch.equal(some.images.flatten().long() % 10, some.labels)
    numbers = Images(torch.rand(5, 2, 1, 1), torch.rand(5, 2))
    assert torch.equal(few_of(numbers, 3).labels, numbers.labels[:3])
