"""From a run's folder to its network, data and weights."""

import json
import shutil

import pytest
import torch

from normscope.assemble import assemble
from normscope.composed import composed
from normscope.errors import UsageError
from normscope.reopened import reopen, survey_of
from normscope.runs.checkpoint import save_checkpoint
from normscope.runs.folder import config_hash
from normscope.runs.reader import Run, read_run
from tests.jobs.conftest import SMALL

SURFACE = {
    "_target_": "normscope.jobs.loss_surface.loss_surface",
    "_partial_": True,
    "dimensions": 2,
    "points": 3,
    "extent": 1.0,
    "images": 1024,
    "seed": 0,
}


@pytest.fixture
def copied(runs, tmp_path):
    return shutil.copytree(runs[0], tmp_path / runs[0].name)


def test_a_run_comes_back_as_it_was_trained(runs):
    run = reopen(read_run(runs[0]), "cpu")
    kept = torch.load(runs[0] / "last.pt", weights_only=True)["training"]["network"]
    assert {**run.weights, **run.buffers}.keys() == kept.keys()
    assert all(torch.equal(tensor, kept[name]) for name, tensor in {**run.weights, **run.buffers}.items())
    job = assemble(*composed(SMALL))
    assert all(torch.equal(weight, job.trainee.weights[name]) for name, weight in run.initial.items())
    assert torch.equal(run.training.images, job.training.images)
    assert torch.equal(run.test.labels, job.held_out["test"].labels)
    assert run.step == 6
    inputs = torch.rand(2, 3, 32, 32)
    assert torch.equal(run.preprocess(inputs), job.trainee.preprocess(inputs))


def test_in_evaluation_mode_a_run_scores_what_it_wrote_down(runs):
    run = reopen(read_run(runs[0]), "cpu")
    score = run.in_evaluation_mode(run.weights, run.buffers, run.test_batches(20, seed=0))
    written = json.loads((runs[0] / "summary.json").read_text())["metrics"]
    assert score.accuracy == written["test/accuracy"]
    assert score.loss == pytest.approx(written["test/loss"], rel=1e-6)  # float32, other order of the images


def test_at_most_the_images_that_there_are_in_whole_batches(runs):
    run = reopen(read_run(runs[0]), "cpu")
    assert [len(labels) for _, labels in run.training_batches(1024, seed=0)] == [16] * 4
    assert [len(labels) for _, labels in run.training_batches(63, seed=0)] == [16] * 3
    assert [len(labels) for _, labels in run.test_batches(1024, seed=0)] == [20]


def test_data_that_has_gone_is_told_of_with_the_run(tmp_path):
    gone = [*SMALL, "dataset=folder", "dataset.root=gone"]
    config, choices = composed([word for word in gone if not word.startswith("dataset.t")])
    with pytest.raises(UsageError, match=r"a-run cannot be put together again: .*gone.*relative path counts from"):
        reopen(Run(tmp_path / "a-run", config, choices, {"status": "finished", "step": 6}), "cpu")


def test_a_damaged_checkpoint_is_refused(copied):
    path = copied / "last.pt"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UsageError, match=r"last.pt is truncated or no checkpoint"):
        reopen(read_run(copied), "cpu")


def test_the_checkpoint_of_another_config_is_refused(runs, copied):
    shutil.copy(runs[1] / "last.pt", copied / "last.pt")
    with pytest.raises(UsageError, match="belongs to config"):
        reopen(read_run(copied), "cpu")


def test_weights_that_are_not_finite_are_refused(copied):
    state = torch.load(copied / "last.pt", weights_only=True)
    state["training"]["network"]["head.bias"][0] = torch.nan
    save_checkpoint(copied / "last.pt", state | {"config_hash": config_hash(read_run(copied).config)})
    with pytest.raises(UsageError, match=r"last.pt: head.bias is not finite"):
        reopen(read_run(copied), "cpu")


def test_what_a_job_refuses_names_the_job(runs):
    with pytest.raises(UsageError, match=r"job: points \(4\) must be odd"):
        survey_of(SURFACE | {"run": str(runs[0]), "points": 4}, [read_run(runs[0])], "cpu")
