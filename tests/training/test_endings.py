"""How a run ends, and what its folder says to the same command afterwards."""

import math

import pytest
import torch

from normscope.errors import UsageError
from normscope.training.loop import divergence
from tests.training.test_run import NOISY, rows, same, trained, weights_in

STOPPED = ["evaluate_every=2", "dataset.validation=20", "regularizer=[early_stopping]", "optimizer.lr=0.3"]
BOUND = ["optimizer.lr=3", "model/norm=none", "init=he_normal", "diverged_above=2"]


@pytest.mark.parametrize(
    ("status", "overrides"),
    [
        ("finished", NOISY),
        ("finished", [*STOPPED, "regularizer.early_stopping.training.patience=2"]),
        ("diverged", BOUND),
    ],
)
def test_a_run_that_has_ended_is_not_trained_on_where_its_summary_is_missing(tmp_path, status, overrides):
    """As after a kill between the last checkpoint and the summary, or where another process was faster."""
    _, summary = trained(tmp_path, *overrides, "steps=12")
    weights, series = weights_in(tmp_path), rows(tmp_path)
    (tmp_path / "summary.json").unlink()
    _, again = trained(tmp_path, *overrides, "steps=12")
    assert summary["status"] == status
    of_the_process = ("peak_memory",)
    assert {**again, **dict.fromkeys(of_the_process)} == {**summary, **dict.fromkeys(of_the_process)}
    assert same(weights_in(tmp_path), weights)
    assert rows(tmp_path) == series


def test_a_run_of_a_gpu_does_not_go_on_on_a_cpu(tmp_path):
    """A GPU's generator has a state of 16 bytes."""
    trained(tmp_path, "steps=1", "device=cpu")
    kept = torch.load(tmp_path / "last.pt", weights_only=True)
    kept["training"]["noise"] = torch.zeros(16, dtype=torch.uint8)
    torch.save(kept, tmp_path / "last.pt")
    with pytest.raises(UsageError, match=r"last.pt: the run began on a GPU, .* repeat the command where there is one"):
        trained(tmp_path, "steps=1", "device=cpu")


def test_a_large_penalty_is_no_divergence():
    metrics = {"train/loss": 2.3, "train/objective": 595.0}
    assert divergence(metrics, bound=230.0) == ""
    assert divergence(metrics, bound=2.0).startswith("train/loss (2.3) is above diverged_above x the loss of guessing")
    assert divergence(metrics | {"train/objective": math.inf}, bound=230.0) == "train/objective is inf"
