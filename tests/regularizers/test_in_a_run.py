"""Regularizers in whole runs: taken up again bit for bit, scored, stopped, refused."""

import os
import signal

import pytest
import torch

from normscope.assemble import assemble
from normscope.composed import composed
from normscope.errors import UsageError
from normscope.rehearsal import rehearse
from normscope.training.run import carry_out
from tests.commands import TINY

SETS = {
    "images": ["regularizer=[colour_jitter,input_noise,cutout,mixup,cutmix,label_smoothing,confidence_penalty]"],
    "weights": [
        "regularizer=[drop_connect,fractional_max_pool,elastic,adaptive_clipping,gradient_noise,pruning,max_norm]",
        "regularizer.pruning.constraint.every=2",
        "regularizer.pruning.constraint.start=0.1",
        "regularizer.fractional_max_pool.architecture.pool.ratio=0.6",
    ],
    "average": ["regularizer=[ema,early_stopping]", "dataset.validation=16"],
    "swa": ["regularizer=[swa]", "regularizer.swa.training.start=0.2", "regularizer.swa.training.every=0.5"],
    "snapshots": ["regularizer=[snapshot_ensemble]", "schedule=restarts", "schedule.growth=1"],
    "depth": ["regularizer=[stochastic_depth,clip_by_norm]", "model=resnet18"],
}


def job_of(*overrides):
    return assemble(*composed([*TINY, "probe=[]", "steps=9", "checkpoint_every=2", "evaluate_every=3", *overrides]))


def same(left, right):
    """Equality of nested states, tensors bit for bit."""
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    return torch.equal(left, right) if isinstance(left, torch.Tensor) else left == right


def ends(folder):
    state = torch.load(folder / "last.pt", weights_only=True)["training"]
    return state, (folder / "series.csv").read_text()


def finished(folder, *overrides):
    job = job_of(*overrides)
    return job, carry_out(job, folder, lambda step, metrics: None)


@pytest.mark.parametrize("rules", SETS)
def test_an_interrupted_run_is_taken_up_again(tmp_path, rules):
    def interrupt(step, metrics):
        if step == 5:
            os.kill(os.getpid(), signal.SIGINT)

    finished(tmp_path / "whole", *SETS[rules], "optimizer=momentum")
    summary = carry_out(job_of(*SETS[rules], "optimizer=momentum"), tmp_path / "broken", interrupt)
    assert (summary["status"], summary["step"]) == ("interrupted", 5)
    finished(tmp_path / "broken", *SETS[rules], "optimizer=momentum")
    (whole, rows), (broken, same_rows) = ends(tmp_path / "whole"), ends(tmp_path / "broken")
    assert same(whole, broken)
    assert rows == same_rows


def test_early_stopping_leaves_the_best_weights_and_their_scores(tmp_path):
    """At a rate far too high the first scoring stays the best, so that the run ends with its initial weights."""
    extra = ["regularizer=[early_stopping]", "dataset.validation=16", "optimizer.lr=3", "evaluate_every=1"]
    patience = "regularizer.early_stopping.training.patience=2"
    job, summary = finished(tmp_path, *extra, patience, "diverged_above=1e6")
    assert summary["status"] == "finished"
    assert "not better" in summary["reason"]
    assert summary["step"] < 9
    state, rows = ends(tmp_path)
    scores = [row.split(",") for row in rows.splitlines()[1:]]
    losses = {int(step): float(value) for step, name, value in scores if name == "validation/loss"}
    best = min(losses, key=lambda step: losses[step])
    assert best == summary["step"] - 2
    assert summary["metrics"]["validation/loss"] == losses[best]
    finals = {name: float(value) for step, name, value in scores if name.startswith("final/")}
    assert finals["final/validation_loss"] == losses[best]
    assert same(state["network"], job.trainee.network.state_dict())
    assert same(state["network"], state["rules"][0]["weights"])


def test_the_average_is_scored_and_the_training_does_not_see_it(tmp_path):
    finished(tmp_path / "plain")
    for rule in ("ema", "swa"):
        finished(
            tmp_path / rule,
            f"regularizer=[{rule}]",
            f"regularizer.{rule}.training.{'decay=0.9' if rule == 'ema' else 'start=0.2'}",
        )
        (plain, rows), (averaged, others) = ends(tmp_path / "plain"), ends(tmp_path / rule)
        assert same(plain["network"], averaged["network"])
        train, test = (
            [row for row in text.splitlines() if name in row] for text, name in ((rows, ",train/"), (rows, ",test/"))
        )
        assert [row for row in others.splitlines() if ",train/" in row] == train
        assert [row for row in others.splitlines() if ",test/" in row] != test


def test_pruned_weights_are_zero_in_the_checkpoint(tmp_path):
    finished(tmp_path, *SETS["weights"], "regularizer.pruning.constraint.sparsity=0.5")
    network = ends(tmp_path)[0]["network"]
    shares = [(tensor == 0).float().mean().item() for tensor in network.values() if tensor.dim() > 1]
    assert len(shares) == 9
    assert shares == pytest.approx([0.5] * 9, abs=0.05)


def test_probes_of_the_curvature_see_through_all_of_them(tmp_path):
    """They differentiate twice, so that every term and every module has to have a second derivative."""
    rules = "regularizer=[l1,elastic,label_smoothing,confidence_penalty,drop_connect,fractional_max_pool]"
    _, summary = finished(tmp_path, rules, "probe=[along_gradient,eigenvalues]", "steps=2")
    assert summary["status"] == "finished"


def test_mixing_is_refused_where_a_batch_is_one_image():
    for rule in ("mixup", "cutmix"):
        with pytest.raises(UsageError, match="use batch_size=2"):
            rehearse(job_of(f"regularizer=[{rule}]", "batch_size=1", "model/norm=none"))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["regularizer=[early_stopping]"], "dataset.validation=1000"),
        (["regularizer=[ema,swa]"], "Ema and Swa each replace"),
        (["regularizer=[snapshot_ensemble]"], "schedule=restarts"),
        (["regularizer=[stochastic_depth]"], "no slot 'branch'"),
        (["regularizer=[label_smoothing]", "loss=squared_error"], "label_smoothing: it changes the mean cross-entropy"),
        (["regularizer=[confidence_penalty]", "loss.reduction=sum"], "confidence_penalty"),
        (["regularizer=[ema]", "regularizer.ema.training.decay=2"], r"decay \(2\)"),
        (["regularizer=[fractional_max_pool]", "model=resnet18"], "has no pool"),
    ],
)
def test_what_does_not_fit_is_refused_before_the_training(overrides, message):
    with pytest.raises(UsageError, match=message):
        job_of(*overrides)
